/** Text that names a host: IP addresses and host names, without sockets. */

const V4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;

/** Whether `text` is an IPv4 or IPv6 literal rather than a name. */
export function isIpAddress(text: string): boolean {
  return V4.test(text) || isIpv6(text);
}

/** RFC 4291 section 2.2: groups of hexadecimal digits, one `::`, perhaps an IPv4 tail or a zone. */
export function isIpv6(text: string): boolean {
  const zone = text.indexOf('%');
  let body = zone === -1 ? text : text.slice(0, zone);
  if (!body.includes(':') || zone === 0) return false;
  const lastColon = body.lastIndexOf(':');
  if (V4.test(body.slice(lastColon + 1))) body = `${body.slice(0, lastColon)}:0:0`;
  const halves = body.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? groups.length <= 7 : groups.length === 8;
}

/** Whether a text may stand for a host: an IP address, or a name by RFC 1123 (underscores are seen in the field). */
export function isHost(text: string): boolean {
  if (isIpAddress(text)) return true;
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false;
  return /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(text);
}

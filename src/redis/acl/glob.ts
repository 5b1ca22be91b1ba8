/**
 * Redis's pattern language: `*`, `?`, `[abc]`, `[^a-z]`, `\x`. At most pattern × text steps, whatever the pattern.
 */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starPattern = -1;
  let starText = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      starPattern = p + 1;
      starText = t;
      p += 1;
      continue;
    }
    const next = p < pattern.length ? matchOne(pattern, p, text[t] ?? '') : -1;
    if (next !== -1) {
      p = next;
      t += 1;
    } else if (starPattern !== -1) {
      // Only the last star needs another try: an earlier one has matched as little as it can.
      p = starPattern;
      starText += 1;
      t = starText;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** Where the pattern goes on after it matched one character, or -1. */
function matchOne(pattern: string, at: number, char: string): number {
  switch (pattern[at]) {
    case '?':
      return at + 1;
    case '[':
      return matchClass(pattern, at + 1, char);
    case '\\': {
      const literal = at + 1 < pattern.length ? at + 1 : at;
      return pattern[literal] === char ? literal + 1 : -1;
    }
    default:
      return pattern[at] === char ? at + 1 : -1;
  }
}

function matchClass(pattern: string, from: number, char: string): number {
  let at = from;
  const negated = pattern[at] === '^';
  if (negated) at += 1;
  let found = false;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at += 1;
    const low = pattern[at] ?? '';
    if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const high = pattern[at + 2] ?? '';
      const [a, b] = low <= high ? [low, high] : [high, low];
      if (char >= a && char <= b) found = true;
      at += 3;
    } else {
      if (low === char) found = true;
      at += 1;
    }
  }
  // An unclosed class ends with the pattern.
  const end = at < pattern.length ? at + 1 : at;
  return found !== negated ? end : -1;
}

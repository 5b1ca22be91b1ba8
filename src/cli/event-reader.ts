/** Reads a stream of server-sent events (HTML standard, "Parsing an event stream"), in whatever pieces it comes. */

export interface ServerSentEvent {
  /** The last id that was given; empty while none was. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** A line that does not end is no event stream. */
const LINE_MAX_chars = 1024 * 1024;

export class EventReader {
  #rest = '';
  #id = '';
  #event = '';
  #data: string[] = [];

  /** The events that are complete with this piece. @throws {Error} when a line does not end */
  feed(piece: string): ServerSentEvent[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?=[^\n])/);
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LINE_MAX_chars) throw new Error('a line of the event stream does not end');
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): ServerSentEvent[] {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') this.#id = value;
    else if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    return [];
  }

  #dispatch(): ServerSentEvent[] {
    const event = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    return isEmpty ? [] : [event];
  }
}

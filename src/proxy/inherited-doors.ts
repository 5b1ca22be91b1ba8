/** Listening sockets that another process has opened, until somebody listens there. */
import { type Door, type DoorHandle, doorName } from './listener.js';

export class InheritedDoors {
  readonly #handles = new Map<string, DoorHandle>();

  /** By name. */
  get all(): ReadonlyMap<string, DoorHandle> {
    return this.#handles;
  }

  /** Another process has opened this door. @param name as of `doorName` */
  add(name: string, handle: DoorHandle): void {
    this.#handles.get(name)?.close();
    this.#handles.set(name, handle);
  }

  /** For whoever listens there from now on, and closes it. Null when nobody has opened it. */
  take(door: Door): DoorHandle | null {
    const name = doorName(door);
    const handle = this.#handles.get(name) ?? null;
    this.#handles.delete(name);
    return handle;
  }

  /** What nobody wants would go on taking clients into its backlog that nobody serves. */
  closeAllBut(wanted: readonly Door[]): void {
    const names = new Set(wanted.map(doorName));
    for (const [name, handle] of this.#handles) {
      if (names.has(name)) continue;
      this.#handles.delete(name);
      handle.close();
    }
  }
}

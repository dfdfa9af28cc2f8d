import type { DeviceSnapshot } from "../../index.js";
import type { Catalogue } from "../inventory/catalogue.js";
import type { CurrentState, OwnedDevice } from "../inventory/current-state.js";
import type { Inventory, InventoryCard, InventoryParent } from "../inventory/inventory.js";

/** A device that is there, with all that is known of it. */
export interface Present {
  readonly device: DeviceSnapshot;
  readonly parent: InventoryParent;
  readonly card: InventoryCard;
  readonly own: OwnedDevice | undefined;
  /** Whether the ledger proves it to be the owner's. */
  readonly proven: boolean;
  /** Whether it can be changed for the owner. */
  readonly isHis: boolean;
}

const NUMBERED = /^(.*\/)(?:0|[1-9][0-9]{0,8})$/s;

/** A folder and an id: no two devices share both. */
export const keyOf = (parentPath: string, id: string): string => `${parentPath}/${id}`;

/** The devices that are there, and how they are found again: by id, and by the name that planning noted. */
export class PresentDevices implements Iterable<Present> {
  readonly #all: Present[] = [];
  readonly #byId = new Map<string, Present>();
  readonly #byName = new Map<string, Present>();
  /** Those whose names end with a number, by what is before that. */
  readonly #byPrefix = new Map<string, Present[]>();

  /** Tells the catalogue the names of types that only notes still have; `take`: what is not proven counts as the owner's. */
  constructor({ owned, unproven }: CurrentState, { cards }: Inventory, catalogue: Catalogue, take: boolean) {
    const notes = new Map<string, readonly [OwnedDevice, boolean]>();
    for (const own of unproven) notes.set(keyOf(own.parentPath, own.id), [own, false]);
    for (const own of owned) notes.set(keyOf(own.parentPath, own.id), [own, true]);
    for (const card of cards) {
      for (const parent of card.parents) {
        for (const device of parent.devices) {
          const [own, proven = false] = notes.get(keyOf(parent.path, device.id)) ?? [];
          this.#add({ device, parent, card, own, proven, isHis: proven || (own !== undefined && take) });
          const { note } = own ?? {};
          if (note?.typeName === undefined) continue;
          const words = { id: note.type, name: note.typeName, description: undefined, deviceApi: undefined };
          catalogue.remember(parent, words);
        }
      }
    }
  }

  /** All of them, card by card. */
  [Symbol.iterator](): Iterator<Present> {
    return this.#all.values();
  }

  /** The device of an id. */
  withId(id: string): Present | undefined {
    return this.#byId.get(id);
  }

  /** The device that has a name. */
  named(name: string): Present | undefined {
    return this.#byName.get(name);
  }

  /** The devices whose names are this and a number. */
  numbered(prefix: string): readonly Present[] {
    return this.#byPrefix.get(prefix) ?? [];
  }

  #add(present: Present): void {
    this.#all.push(present);
    this.#byId.set(present.device.id, present);
    const name = present.own?.note?.name;
    if (name === undefined) return;
    if (!this.#byName.has(name) || present.proven) this.#byName.set(name, present);
    const [, prefix] = NUMBERED.exec(name) ?? [];
    if (prefix === undefined) return;
    const list = this.#byPrefix.get(prefix);
    if (list === undefined) this.#byPrefix.set(prefix, [present]);
    else list.push(present);
  }
}

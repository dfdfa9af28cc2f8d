import { displayFactsOf } from "../../extensions/display/index.js";
import type { DeviceSnapshot } from "../../index.js";
import type { Inventory, InventoryParent } from "./inventory.js";
import type { TypeWords } from "../wanted/type-selector.js";

/** How large the devices of a type are. */
export interface TypeSize {
  /** Their framebuffer, in bytes. */
  readonly framebufferBytes: number | undefined;
  /** How many of them a card holds that has no others. */
  readonly maxInstances: number | undefined;
}

/**
 * What is known of the types of a host: those that a parent offers, and on NVIDIA's own interface, where functions list what
 * they can be given now, those of all functions of equal boards. Many parents have the same list: it is one object then.
 */
export class Catalogue {
  readonly #lists = new Map<string, readonly TypeWords[]>();
  readonly #boards = new Map<string, Map<string, TypeWords>>();
  readonly #boardLists = new Map<string, readonly TypeWords[]>();
  readonly #sizes = new Map<string, TypeSize>();
  #last: readonly TypeWords[] = [];

  constructor({ cards }: Inventory) {
    for (const { parents } of cards) {
      for (const parent of parents) if (isListOfTheMoment(parent)) this.#learn(parent);
    }
  }

  /** Learns the words of a type that no function shows any more: from what was noted when its device was created. */
  remember(parent: InventoryParent, type: TypeWords): void {
    if (!isListOfTheMoment(parent)) return;
    this.#learn({ ...parent, types: [{ ...type, availableInstances: undefined, attributes: {} }] });
    this.#boardLists.delete(boardOf(parent));
  }

  /** The types that a parent can have some time: as it says, or as boards like its own do. */
  typesOf(parent: InventoryParent): readonly TypeWords[] {
    if (!isListOfTheMoment(parent)) return this.#asOne(parent.types);
    const board = boardOf(parent);
    const known = this.#boardLists.get(board);
    if (known !== undefined) return known;
    const list = this.#asOne([...(this.#boards.get(board)?.values() ?? [])]);
    this.#boardLists.set(board, list);
    return list;
  }

  /** What is known of the type of a device; `undefined` where it tells none. */
  typeOf(device: DeviceSnapshot, parent: InventoryParent): TypeWords | undefined {
    const id = device.type;
    return id === undefined ? undefined : this.typesOf(parent).find((type) => type.id === id);
  }

  /** How large the devices of a type are. */
  sizeOf(type: TypeWords): TypeSize {
    const key = wordsOf(type);
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    const facts = displayFactsOf(type);
    const { framebufferBytes, maxInstances } = facts.ok ? facts.value : {};
    const size = { framebufferBytes, maxInstances };
    this.#sizes.set(key, size);
    return size;
  }

  #learn(parent: InventoryParent): void {
    const board = boardOf(parent);
    const types = this.#boards.get(board) ?? new Map<string, TypeWords>();
    this.#boards.set(board, types);
    for (const type of parent.types) {
      if (types.get(type.id)?.name === undefined) types.set(type.id, type);
    }
  }

  /** The one list that says the same. */
  #asOne(types: readonly TypeWords[]): readonly TypeWords[] {
    const last = this.#last;
    if (last.length === types.length && types.every((type, at) => isSame(type, last[at]))) return last;
    const key = types.map(wordsOf).join("\u0001");
    const list = this.#lists.get(key) ?? types;
    this.#lists.set(key, list);
    this.#last = list;
    return list;
  }
}

/** Whether a parent lists only what it can be given now. */
export function isListOfTheMoment({ layout }: InventoryParent): boolean {
  return layout === "nvidia-vfio";
}

function isSame(a: TypeWords, b: TypeWords | undefined): boolean {
  return a.id === b?.id && a.name === b.name && a.description === b.description;
}

function wordsOf({ id, name, description }: TypeWords): string {
  return [id, name, description].join("\0");
}

/** Boards that are alike have types that are alike. Where nothing is known of a board, it is like no other. */
function boardOf({ vendor, device, subsystemVendor, subsystemDevice, card }: InventoryParent): string {
  if (vendor === undefined || device === undefined) return card;
  return [vendor, device, subsystemVendor, subsystemDevice].join(" ");
}

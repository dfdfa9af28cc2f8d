import type { DeviceSnapshot } from "../../index.js";
import { type Catalogue, isListOfTheMoment } from "../inventory/catalogue.js";
import type { InventoryCard, InventoryParent } from "../inventory/inventory.js";
import { ParentRoom } from "./parent-room.js";
import type { CardRule } from "./placement.js";
import type { TypeWords } from "../wanted/type-selector.js";

/** Why a parent cannot have one more device of a type. */
export type NoRoom = "no-instances" | "card-full" | "card-rule";

interface Seat {
  readonly parent: InventoryParent;
  readonly room: ParentRoom;
  /** How many devices are there and stay. */
  readonly staying: number;
  /** Whether a device goes from here. */
  readonly isFreed: boolean;
  taken: number;
}

/** One that has so little room that sums of parts can be off. */
const ROUNDING = 1e-9;

/**
 * What is left of one card while places are given away: drivers count per card, whichever of its functions has the device.
 * What the driver says of now holds for now; where devices are to go first, what is known of sizes limits what comes.
 */
export class CardRoom {
  readonly card: InventoryCard;
  readonly #catalogue: Catalogue;
  readonly #rule: CardRule;
  readonly #seats: readonly Seat[];
  readonly #isFreed: boolean;
  readonly #kinds = new Map<unknown, number>();
  /** Whether there are devices of several kinds. What a driver would allow beyond that may change with the first device. */
  readonly #isMixed: boolean;
  /** The framebuffer of the whole card, where its types have no `max_instance`. */
  readonly #bytes: number | undefined;
  /** Whether the sizes agree with what the driver offers. */
  readonly #isLimited: boolean;
  /** Which part of the card is used. */
  #load = 0;
  #devices = 0;
  #taken = 0;

  constructor(
    card: InventoryCard,
    catalogue: Catalogue,
    { rule, going }: { readonly rule: CardRule; readonly going: ReadonlySet<DeviceSnapshot> },
  ) {
    this.card = card;
    this.#catalogue = catalogue;
    this.#rule = rule;
    this.#seats = card.parents.map((parent) => {
      const leaving = parent.devices.filter((device) => going.has(device));
      const room = new ParentRoom(
        parent,
        leaving.map(({ type }) => type),
      );
      const staying = parent.devices.length - leaving.length;
      return { parent, room, staying, isFreed: leaving.length > 0, taken: 0 };
    });
    this.#isFreed = this.#seats.some(({ isFreed }) => isFreed);
    const present = card.parents.flatMap((parent) =>
      parent.devices.map((device) => ({ device, type: catalogue.typeOf(device, parent) })),
    );
    const offered = this.#offered();
    this.#bytes = this.#wholeCard();
    for (const { type } of present) this.#count(type, 1);
    this.#isMixed = this.#kinds.size > 1;
    this.#isLimited = offered.every((type) => this.#load + this.#partOf(type) <= 1 + ROUNDING);
    for (const { device, type } of present) if (going.has(device)) this.#count(type, -1);
  }

  /** How many devices it has or will have, whoever's. */
  get devices(): number {
    return this.#devices;
  }

  /** Why one of its parents cannot have one more; `undefined` where it can. `counted`: only where the driver tells how many. */
  refusal(at: number, type: TypeWords, counted = false): NoRoom | undefined {
    const seat = this.#seats[at];
    if (seat === undefined) return "no-instances";
    if (!this.#isAllowed(type)) return "card-rule";
    const fits = this.#fits(seat, type);
    if (fits === false || (counted && fits === "unknown")) return "no-instances";
    // What a driver offers now fits once.
    if (!this.#isLimited || (this.#taken === 0 && !this.#isFreed)) return undefined;
    return this.#load + this.#partOf(type) > 1 + ROUNDING ? "card-full" : undefined;
  }

  /** Gives a place away, or takes it back. */
  take(at: number, type: TypeWords, by: 1 | -1 = 1): void {
    const seat = this.#seats[at];
    if (seat === undefined) return;
    seat.taken += by;
    seat.room.take(type.id, by);
    this.#taken += by;
    this.#count(type, by);
  }

  #fits({ parent, room, staying, isFreed, taken }: Seat, type: TypeWords): boolean | "unknown" {
    const isFunction = isListOfTheMoment(parent) || this.card.parents.length > 1;
    if (isListOfTheMoment(parent) && staying + taken > 0) return false;
    // What a function says that it has no room for may be there when another one has let go.
    if (isFunction && this.#isFreed) return staying + taken === 0;
    const { maxInstances } = this.#catalogue.sizeOf(type);
    if (isFreed && staying === 0 && maxInstances !== undefined) return true;
    return room.fits(type.id);
  }

  #isAllowed(type: TypeWords): boolean {
    if (this.#rule === "mixed" || this.#kinds.size === 0) return true;
    const isAuto = this.#rule === "auto";
    if (isAuto && (this.#isMixed || !type.id.startsWith("nvidia-"))) return true;
    const kind = this.#kindOf(type);
    for (const other of this.#kinds.keys())
      if (other !== kind && !(isAuto && other === undefined)) return false;
    return true;
  }

  #count(type: TypeWords | undefined, by: 1 | -1): void {
    this.#devices += by;
    const kind = type === undefined ? undefined : this.#kindOf(type);
    const count = (this.#kinds.get(kind) ?? 0) + by;
    if (count === 0) this.#kinds.delete(kind);
    else this.#kinds.set(kind, count);
    this.#load += type === undefined ? 0 : by * this.#partOf(type);
  }

  #kindOf(type: TypeWords): unknown {
    if (this.#rule === "one-type") return type.id;
    return this.#catalogue.sizeOf(type).framebufferBytes ?? type.id;
  }

  /** Which part of the card a device takes; 0 where that is not known. */
  #partOf(type: TypeWords): number {
    const { framebufferBytes, maxInstances } = this.#catalogue.sizeOf(type);
    if (maxInstances !== undefined && maxInstances > 0) return 1 / maxInstances;
    return framebufferBytes === undefined || this.#bytes === undefined ? 0 : framebufferBytes / this.#bytes;
  }

  /** The largest type of a board takes all of it. */
  #wholeCard(): number | undefined {
    const [first] = this.card.parents;
    if (first === undefined || !isListOfTheMoment(first)) return undefined;
    const sizes = this.#catalogue.typesOf(first).map((type) => this.#catalogue.sizeOf(type).framebufferBytes);
    const whole = Math.max(0, ...sizes.map((bytes) => bytes ?? 0));
    return whole === 0 ? undefined : whole;
  }

  /** The types that one of its parents can be given now. */
  #offered(): readonly TypeWords[] {
    const offered = new Map<string, TypeWords>();
    for (const { types } of this.card.parents) {
      for (const type of types) if ((type.availableInstances ?? 0) > 0) offered.set(type.id, type);
    }
    return [...offered.values()];
  }
}

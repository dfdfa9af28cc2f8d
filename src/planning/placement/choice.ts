import type { CardRoom, NoRoom } from "./card-room.js";
import { Heap } from "./heap.js";
import type { Placement } from "./placement.js";
import type { TypeWords } from "../wanted/type-selector.js";

/** One card, and who has to know when it changes. */
export interface Place {
  readonly room: CardRoom;
  /** Its rank among all cards of the host. */
  readonly order: number;
  /** How often something was taken from it. */
  version: number;
  readonly watchers: Choice[];
}

/** A parent of a card, with the type that is meant there. */
export interface Seat {
  readonly at: number;
  readonly type: TypeWords;
}

/** What was taken of one card. */
interface Taken {
  readonly place: Place;
  readonly seats: readonly Seat[];
}

/** What can be had of one card. */
interface Offer {
  readonly place: Place;
  readonly seats: readonly Seat[];
  /** The first seat that is not known to be taken: what has no room will have none. */
  first: number;
}

interface Rank {
  readonly offer: Offer;
  readonly version: number;
  readonly isFar: boolean;
  readonly score: number;
  readonly load: number;
}

/** The cards that devices alike can be put on, the best one first. */
export class Choice {
  readonly #placement: Placement;
  readonly #isRefused: (place: Place, type: TypeWords) => boolean;
  readonly #heap = new Heap<Rank>(isBefore);
  readonly #offers = new Map<Place, Offer>();

  constructor(placement: Placement, isRefused: (place: Place, type: TypeWords) => boolean) {
    this.#placement = placement;
    this.#isRefused = isRefused;
  }

  /** Adds a card, with the parents of it that are meant. */
  add(place: Place, seats: readonly Seat[]): void {
    const offer = { place, seats, first: 0 };
    this.#offers.set(place, offer);
    place.watchers.push(this);
    this.#rank(offer);
  }

  /** Looks at a card anew that something was taken from. */
  changed(place: Place): void {
    const offer = this.#offers.get(place);
    if (offer !== undefined) this.#rank(offer);
  }

  /** Takes a place for one device; `counted`: only where the driver tells how many there are. */
  take(counted: boolean): { readonly place: Place; readonly seat: Seat } | undefined {
    const taken = this.#takeBest((offer) => {
      const seat = this.#seatOf(offer, counted);
      if (seat === undefined) return counted ? "unfit" : "full";
      offer.place.room.take(seat.at, seat.type);
      return [seat];
    });
    const [seat] = taken?.seats ?? [];
    return taken === undefined || seat === undefined ? undefined : { place: taken.place, seat };
  }

  /** Takes places for so many devices on one card, the best that has room for all; `on`: that one alone. */
  takeTogether(count: number, on: Place | undefined): Taken | undefined {
    return this.#takeBest((offer) => {
      if (on !== undefined && on !== offer.place) return "unfit";
      const seats = this.#seatsFor(offer, count);
      if (seats.length === count) return seats;
      for (const { at, type } of seats) offer.place.room.take(at, type, -1);
      return seats.length > 0 || on !== undefined ? "unfit" : "full";
    });
  }

  /** Why a seat cannot be had; `undefined` where it can. */
  refusal(place: Place, { at, type }: Seat): NoRoom | "refused" | undefined {
    return this.#isRefused(place, type) ? "refused" : place.room.refusal(at, type);
  }

  /** Goes through the cards, the best first, until seats are taken on one. Of an `unfit` one others may have some, of a `full` one nobody. */
  #takeBest(take: (offer: Offer) => readonly Seat[] | "unfit" | "full"): Taken | undefined {
    const unfit: Rank[] = [];
    try {
      for (let rank = this.#heap.pop(); rank !== undefined; rank = this.#heap.pop()) {
        const { place } = rank.offer;
        if (rank.version !== place.version) continue;
        const seats = take(rank.offer);
        if (seats === "unfit") unfit.push(rank);
        if (typeof seats === "string") continue;
        place.version += 1;
        for (const watcher of place.watchers) watcher.changed(place);
        return { place, seats };
      }
      return undefined;
    } finally {
      for (const rank of unfit) this.#heap.push(rank);
    }
  }

  #seatOf(offer: Offer, counted: boolean): Seat | undefined {
    for (let at = offer.first; at < offer.seats.length; at++) {
      const seat = offer.seats[at] as Seat;
      if (this.refusal(offer.place, seat) === undefined) {
        if (!counted || offer.place.room.refusal(seat.at, seat.type, true) === undefined) return seat;
      } else if (at === offer.first) offer.first += 1;
    }
    return undefined;
  }

  /** Takes as many as there are, up to so many, and does not tell anybody. */
  #seatsFor({ place, seats }: Offer, count: number): readonly Seat[] {
    const taken: Seat[] = [];
    for (const seat of seats) {
      while (taken.length < count && this.refusal(place, seat) === undefined) {
        place.room.take(seat.at, seat.type);
        taken.push(seat);
      }
    }
    return taken;
  }

  #rank(offer: Offer): void {
    const { place } = offer;
    const { strategy = "compact", numaNode, score } = this.#placement;
    const { card, devices } = place.room;
    let own = 0;
    if (score !== undefined) {
      const seat = this.#seatOf(offer, false);
      const parent = seat === undefined ? undefined : card.parents[seat.at];
      if (seat === undefined || parent === undefined) return;
      own = score({ card, parent, type: seat.type.id, devices });
    }
    this.#heap.push({
      offer,
      version: place.version,
      isFar: numaNode !== undefined && card.numaNode !== numaNode,
      score: Number.isNaN(own) ? -Infinity : own,
      load: strategy === "separate" ? devices : -devices,
    });
  }
}

function isBefore(a: Rank, b: Rank): boolean {
  if (a.isFar !== b.isFar) return b.isFar;
  if (a.score !== b.score) return a.score > b.score;
  if (a.load !== b.load) return a.load < b.load;
  return a.offer.place.order < b.offer.place.order;
}

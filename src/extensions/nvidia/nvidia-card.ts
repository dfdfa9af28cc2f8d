import {
  type AsyncResult,
  type Card,
  type LookupError,
  type MdevHost,
  type MdevType,
  type OperationOptions,
  type Parent,
  type QueryError,
  Result,
  UnsupportedError,
} from "../../index.js";
import { Ended, type Inquiry, inquire } from "./inquiry.js";
import { chooseOffer, listsCreatable, nameFault, type Offer, readOffers } from "./offers.js";
import { roomFor, type TypeSize } from "./room.js";
import { isVgpuType } from "./vgpu-type.js";
import { readVgpus, sizeOf, type VgpuUsage } from "./vgpu-usage.js";

const VENDOR = 0x10de;

/** How many more vGPUs of one type a card can have: as the driver tells now, and a hint only. */
export interface VgpuCapacity {
  /** The id of the type: `nvidia-1148`; as it was asked for where no function lists it. */
  readonly typeId: string;
  /** Its name, as its file has it; `undefined` where no function shows it. */
  readonly name: string | undefined;
  /**
   * The type on each function that can be given one now: `places[0]?.create()`. The functions share the GPU, so that
   * the first one created may take away all others.
   */
  readonly places: readonly MdevType[];
  /**
   * How many fit in all, one after the other; `undefined` where that is not known, with several places and no
   * descriptions (NVIDIA's own interface). Of a card with vGPUs of several sizes, an upper limit: the framebuffer that
   * is left may be in pieces.
   */
  readonly instances: number | undefined;
}

/**
 * One NVIDIA GPU with all its functions: those that share its framebuffer. It is one function (boards without SR-IOV), or the
 * virtual functions of one physical function, with mediated devices or with NVIDIA's own interface.
 *
 * Each call reads the functions, types and devices anew: creating or removing one vGPU may change what all functions
 * offer. What a single function cannot be read for spoils only that function; where that is all of them, the error is that
 * of the first, and `gone` where none is a parent any more.
 *
 * Of functions it reads the file `vendor` and the link `physfn`, of types what {@link NvidiaVgpuType} reads.
 * Sources, for how the files of functions depend on each other, NVIDIA/open-gpu-kernel-modules 595.45.04,
 * `src/nvidia/src/kernel/virtualization/kernel_vgpu_mgr.c`. Not run on a card.
 *
 * @example
 * ```ts
 * import { MdevHost } from "vfio-mdev";
 * import { NvidiaCard } from "vfio-mdev/nvidia";
 * import { SimulatedHost } from "vfio-mdev/testing";
 *
 * const simulated = new SimulatedHost();
 * simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", interface: "mdev" });
 * const [card] = await NvidiaCard.all(new MdevHost({ fs: simulated.fs })).getOrThrow();
 *
 * const before = await card?.capacity("L40S-16Q").getOrThrow();
 * console.log(before?.places.length, before?.instances); // prints: 16 3
 * await before?.places[0]?.create().getOrThrow();
 * const after = await card?.capacity("L40S-16Q").getOrThrow();
 * console.log(after?.places.length, after?.instances); // prints: 15 2
 * ```
 */
export class NvidiaCard {
  /** The PCI address of its physical function, or of its only one: `0000:3b:00.0`. As {@link Card.id}. */
  readonly id: string;
  /** The folder of that function in sysfs. As {@link Card.path}. */
  readonly path: string;
  readonly #card: Card;

  private constructor(card: Card) {
    this.id = card.id;
    this.path = card.path;
    this.#card = card;
  }

  /**
   * All NVIDIA cards of a host, in natural order: those that {@link NvidiaCard.of} takes. A card of which no function can be
   * asked for its vendor is left out.
   */
  static all(
    host: Pick<MdevHost, "cards">,
    options?: OperationOptions,
  ): AsyncResult<readonly NvidiaCard[], QueryError> {
    return inquire<readonly NvidiaCard[]>(options, async (inquiry) => {
      const cards = await inquiry.ask((within) => host.cards(within));
      if (!cards.ok) throw new Ended(cards.error);
      const found: NvidiaCard[] = [];
      for (const card of cards.value) {
        const nvidia = await isNvidia(inquiry, card);
        if (nvidia.ok && nvidia.value) found.push(new NvidiaCard(card));
      }
      return Result.ok(found);
    });
  }

  /**
   * This view of a card of {@link MdevHost.cards}; `unsupported` where it is not NVIDIA's: its functions have neither
   * `0x10de` in their file `vendor` nor NVIDIA's own interface.
   */
  static of(card: Card, options?: OperationOptions): AsyncResult<NvidiaCard, UnsupportedError | QueryError> {
    return inquire<NvidiaCard, UnsupportedError | QueryError>(options, async (inquiry) => {
      const nvidia = await isNvidia(inquiry, card);
      if (!nvidia.ok) return nvidia;
      if (nvidia.value) return Result.ok(new NvidiaCard(card));
      const facts = { tried: `take ${card.id} for an NVIDIA card`, path: card.path, reason: "it is none" };
      return Result.error(new UnsupportedError({ ...facts, missing: "an NVIDIA function" }));
    });
  }

  /** Its functions that are parents now, by their PCI addresses. */
  functions(options?: OperationOptions): AsyncResult<readonly Parent[], QueryError> {
    return inquire<readonly Parent[]>(options, async (inquiry) => Result.ok(await this.#functions(inquiry)));
  }

  /**
   * Its functions on which a vGPU of any type can be created now, as `available_instances` says; one that cannot be
   * read is none.
   */
  freeFunctions(options?: OperationOptions): AsyncResult<readonly Parent[], QueryError> {
    return inquire<readonly Parent[]>(options, async (inquiry) => {
      const free: Parent[] = [];
      for (const parent of await this.#functions(inquiry)) {
        const types = await inquiry.learn((within) => parent.findTypes({ available: true }, within));
        if (types !== undefined && types.length > 0) free.push(parent);
      }
      return Result.ok(free);
    });
  }

  /**
   * How many more vGPUs of a type can be created, and where: `availableInstances` of the type on each function, and
   * the `max_instance` and `framebuffer` of the descriptions where there are any. `not-found` where no type or several fit,
   * as with {@link findVgpuType}.
   *
   * @param type - its name in any spelling that {@link findVgpuType} takes, or its id. On NVIDIA's own interface a type
   *   that cannot be created now has no name: ask by its id
   */
  capacity(type: string, options?: OperationOptions): AsyncResult<VgpuCapacity, LookupError> {
    return inquire(options, async (inquiry) => {
      const fault = nameFault(type, this);
      if (fault !== undefined) throw new Ended(fault);
      const functions = await this.#functions(inquiry);
      const offers = await readOffers(inquiry, functions);
      const creatableOnly = functions.some(listsCreatable);
      const chosen = chooseOffer(offers, type, { where: this, creatableOnly });
      // Where a list is of the moment, an id that is not on it may be that of a type all the same.
      if (!chosen.ok && !(creatableOnly && isVgpuType(type))) return chosen;
      const offer = chosen.ok ? chosen.value : undefined;
      const places: MdevType[] = [];
      let total = 0;
      for (const place of offer?.types ?? []) {
        const available = await inquiry.learn((within) => place.availableInstances.read(within));
        if (available === undefined || available <= 0) continue;
        places.push(place);
        total += available;
      }
      // One function alone counts rightly. Each of several tells of itself, and there is a first one in any case.
      const alone = offer === undefined || places.length < 2;
      const room = alone ? total : await this.#room(inquiry, { functions, offers, offer });
      const instances = room === undefined ? undefined : Math.min(total, Math.max(room, 1));
      const facts = { typeId: offer?.id ?? type, name: offer?.name };
      return Result.ok(Object.freeze({ ...facts, places: Object.freeze(places), instances }));
    });
  }

  /** Which vGPUs it has, on which functions, and what they take of its framebuffer. */
  usage(options?: OperationOptions): AsyncResult<VgpuUsage, QueryError> {
    return inquire<VgpuUsage>(options, async (inquiry) => {
      const functions = await this.#functions(inquiry);
      const offers = await readOffers(inquiry, functions);
      const vgpus = await readVgpus(inquiry, functions, offers);
      const sizes = vgpus.map((vgpu) => vgpu.framebufferBytes);
      const framebufferBytes = sizes.reduce<number | undefined>(add, 0);
      const { problems } = inquiry;
      return Result.ok(Object.freeze({ vgpus: Object.freeze(vgpus), framebufferBytes, problems }));
    });
  }

  /** One that is still there knows the others, also those that came since. */
  async #functions(inquiry: Inquiry): Promise<readonly Parent[]> {
    let failure: QueryError | undefined;
    for (const parent of this.#card.parents) {
      const siblings = await inquiry.ask((within) => parent.siblings(within));
      if (siblings.ok) return [parent, ...siblings.value].sort((a, b) => (a.id < b.id ? -1 : 1));
      failure ??= siblings.error;
    }
    if (failure !== undefined) throw new Ended(failure);
    return [];
  }

  async #room(
    inquiry: Inquiry,
    { functions, offers, offer }: { functions: readonly Parent[]; offers: readonly Offer[]; offer: Offer },
  ): Promise<number | undefined> {
    const used = await readVgpus(inquiry, functions, offers);
    const sizes: TypeSize[] = [];
    for (const each of offers) sizes.push(await sizeOf(inquiry, each));
    const bytes = used.map(({ framebufferBytes }) => framebufferBytes);
    return roomFor(await sizeOf(inquiry, offer), bytes, sizes);
  }
}

/** Whether the first parent of a card that can be read is NVIDIA's: all of them are of one GPU. */
async function isNvidia(inquiry: Inquiry, { parents }: Card): Promise<Result<boolean, QueryError>> {
  let failure: QueryError | undefined;
  for (const parent of parents) {
    if (parent.layout === "nvidia-vfio") return Result.ok(true);
    const pci = await inquiry.ask((within) => parent.pci(within));
    if (pci.ok) return Result.ok(pci.value?.vendor === VENDOR);
    failure ??= pci.error;
  }
  return failure === undefined ? Result.ok(false) : Result.error(failure);
}

function add(sum: number | undefined, bytes: number | undefined): number | undefined {
  return sum === undefined || bytes === undefined ? undefined : sum + bytes;
}

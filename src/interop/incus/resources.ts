import { DecodeError, type MdevTypeInfo, type ParentInfo, Result } from "../../index.js";

/**
 * A profile of mediated devices in the resources of Incus and LXD; the words are theirs.
 * Source: Incus, `shared/api/resource.go`, `ResourcesGPUCardMdev`.
 */
export interface IncusMdev {
  /** The file `device_api`: `vfio-pci`; empty where it is unknown. */
  readonly api: string;
  /** How many more there can be: the file `available_instances`. Never below 0, and 0 where it is unknown. */
  readonly available: number;
  /** The type's file `name`; left out where it is not there or empty. */
  readonly name?: string;
  /** The type's file `description`; left out where it is not there or empty. */
  readonly description?: string;
  /** The UUIDs of its devices; `null` where the kernel does not list them. */
  readonly devices: readonly string[] | null;
}

/**
 * A GPU, or a virtual function of one, in the resources of Incus and LXD: `GET /1.0/resources`, below `gpu.cards`. What
 * is not known is left out.
 * Source: Incus, `shared/api/resource.go`, `ResourcesGPUCard`.
 */
export interface IncusCard {
  /** Its driver: `nvidia`. */
  readonly driver?: string;
  /** SR-IOV, where it is a physical function. */
  readonly sriov?: {
    /** How many virtual functions it has: the file `sriov_numvfs`. */
    readonly current_vfs: number;
    /** How many it can have: the file `sriov_totalvfs`. */
    readonly maximum_vfs: number;
    /** Those that there are; `null` for none. */
    readonly vfs: readonly IncusCard[] | null;
  };
  /** Profiles of mediated devices, by the id of the type. */
  readonly mdev?: Readonly<Record<string, IncusMdev>>;
  /** The number of its NUMA node; 0 where the kernel knows none, as Incus has it. */
  readonly numa_node: number;
  /** Its PCI address: `0000:3b:00.0`. */
  readonly pci_address?: string;
  /** Its vendor, four hexadecimal digits: `10de`. */
  readonly vendor_id?: string;
  /** Its product, four hexadecimal digits. */
  readonly product_id?: string;
}

/** A parent with its types, as `read()` of each gives them. */
export interface IncusParent {
  /** What `Parent.read()` says. */
  readonly parent: Pick<ParentInfo, "id" | "driver" | "numaNode" | "pci">;
  /** What `MdevType.read()` says of its types. */
  readonly types: readonly Pick<
    MdevTypeInfo,
    "id" | "name" | "description" | "deviceApi" | "availableInstances" | "devices"
  >[];
}

/** A profile that Incus tells of, in the words of this library: a `MdevTypeInfo` as far as it goes. */
export interface IncusOffer {
  /** The PCI address of the card or function that offers it. */
  readonly parent: string;
  /** The id of the type. */
  readonly id: string;
  /** The type's name; `undefined` where Incus tells none. */
  readonly name: string | undefined;
  /** The type's description; `undefined` where Incus tells none. */
  readonly description: string | undefined;
  /** The kernel's `device_api`; `undefined` where Incus tells none. */
  readonly deviceApi: string | undefined;
  /** How many more there can be. */
  readonly availableInstances: number;
  /** The UUIDs of its devices; `undefined` where they are not listed. */
  readonly devices: readonly string[] | undefined;
}

const LENGTH_MAX = 16 * 2 ** 20;

/**
 * The cards that Incus and LXD would list, with their mediated devices: one for each PCI parent, virtual functions
 * below their physical one. A physical function that is no parent itself is there too, with its address and its virtual
 * functions alone. Parents that are no PCI devices are left out. Of PCI devices, Incus lists GPUs (class 0x03, or with
 * a DRM device); here it is for you to leave others out.
 * Source: Incus, `shared/api/resource.go`, `shared/resources/gpu.go`.
 */
export function incusCards(parents: readonly IncusParent[]): readonly IncusCard[] {
  const ofPci = parents.filter(({ parent }) => parent.pci !== undefined);
  const roots = new Map<string, IncusParent[]>();
  for (const offer of ofPci) {
    const { sriov } = offer.parent.pci ?? {};
    const root = sriov?.role === "virtual" ? sriov.physicalFunction : offer.parent.id;
    roots.set(root, [...(roots.get(root) ?? []), offer]);
  }
  return Object.freeze(
    Array.from(roots, ([root, offers]) => {
      const own = offers.find(({ parent }) => parent.id === root);
      const vfs = offers.filter((offer) => offer !== own).map((offer) => cardOf(offer));
      return cardOf(
        own ?? { parent: { id: root, driver: undefined, numaNode: undefined, pci: undefined }, types: [] },
        vfs,
      );
    }),
  );
}

/**
 * The profiles in the resources of Incus or LXD, of cards and their virtual functions: from the JSON of
 * `GET /1.0/resources` (with or without its envelope, as `incus query /1.0/resources` and a raw request give it).
 * `decode` where it is none, or longer than 2^24 characters.
 * Source: Incus, `shared/api/resource.go`.
 */
export function parseIncusResources(json: string): Result<readonly IncusOffer[], DecodeError> {
  const refuse = (reason: string): Result<never, DecodeError> =>
    Result.error(new DecodeError({ tried: "understand the resources of Incus", reason, raw: json }));
  if (json.length > LENGTH_MAX) return refuse(`they are longer than ${LENGTH_MAX} characters`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return refuse("they are not valid JSON");
  }
  const resources = field(parsed, "metadata") ?? parsed;
  const gpu = field(resources, "gpu");
  if (gpu === undefined) return refuse("they say nothing of GPUs");
  const cards = listOf(field(gpu, "cards"));
  const offers: IncusOffer[] = [];
  for (const card of cards.flatMap((found) => [found, ...listOf(field(field(found, "sriov"), "vfs"))])) {
    const parent = textOf(card, "pci_address");
    for (const [id, profile] of Object.entries(objectOf(field(card, "mdev")))) {
      const available = field(profile, "available");
      if (parent === undefined) return refuse(`the card with ${JSON.stringify(id)} has no PCI address`);
      if (typeof available !== "number")
        return refuse(`${JSON.stringify(id)} does not say how many are available`);
      const devices = field(profile, "devices");
      const listed = Array.isArray(devices) ? devices.filter((uuid) => typeof uuid === "string") : undefined;
      offers.push(
        Object.freeze({
          parent,
          id,
          name: textOf(profile, "name"),
          description: textOf(profile, "description"),
          deviceApi: textOf(profile, "api"),
          availableInstances: available,
          devices: listed && Object.freeze(listed),
        }),
      );
    }
  }
  return Result.ok(Object.freeze(offers));
}

function cardOf({ parent, types }: IncusParent, vfs: readonly IncusCard[] = []): IncusCard {
  const { id, driver, numaNode, pci } = parent;
  const sriov = pci?.sriov?.role === "physical" ? pci.sriov : undefined;
  const hex = (value: number | undefined) => value?.toString(16).padStart(4, "0");
  return compact<IncusCard>({
    driver,
    sriov:
      sriov === undefined && vfs.length === 0
        ? undefined
        : Object.freeze({
            current_vfs: sriov?.enabled ?? vfs.length,
            maximum_vfs: sriov?.total ?? vfs.length,
            vfs: vfs.length === 0 ? null : Object.freeze(vfs),
          }),
    mdev:
      types.length === 0
        ? undefined
        : Object.freeze(Object.fromEntries(types.map((type) => [type.id, mdevOf(type)]))),
    numa_node: numaNode ?? 0,
    pci_address: id,
    vendor_id: hex(pci?.vendor),
    product_id: hex(pci?.device),
  });
}

function mdevOf({
  name,
  description,
  deviceApi,
  availableInstances,
  devices,
}: IncusParent["types"][number]): IncusMdev {
  return compact<IncusMdev>({
    api: deviceApi ?? "",
    available: Math.max(0, availableInstances ?? 0),
    name: name === "" ? undefined : name,
    description: description === "" ? undefined : description,
    devices: devices ?? null,
  });
}

/** Frozen, and without what is `undefined`. */
function compact<T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.freeze(
    Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)),
  ) as T;
}

function field(value: unknown, name: string): unknown {
  return Object.hasOwn(objectOf(value), name) ? objectOf(value)[name] : undefined;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown, name: string): string | undefined {
  const text = field(value, name);
  return typeof text === "string" && text !== "" ? text : undefined;
}

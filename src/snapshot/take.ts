import { VANISHING } from "../attributes/access.js";
import { type Codec, integer, text } from "../attributes/codec.js";
import type { AttributeOwner } from "../attributes/access.js";
import type { HostContext } from "../context.js";
import { FileFailure, isVanished } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { explain } from "../file-system/operation.js";
import { inNaturalOrder, inNaturalOrderOf } from "../identifiers.js";
import { Inspection, type Problem, problemOf } from "../inspection.js";
import type { FoundDevice, FoundParent, TypeFact } from "../layouts/layout.js";
import { deviceOwner, parentOwner, typeOwner } from "../layouts/owner.js";
import { findParents } from "../layouts/registry.js";
import { readTypeFact } from "../layouts/type-facts.js";
import { baseName } from "../paths.js";
import type {
  DeviceSnapshot,
  HostSnapshot,
  Inclusion,
  ParentSnapshot,
  SnapshotInclusions,
  TypeSnapshot,
} from "./host-snapshot.js";

const NOTHING = Object.freeze({});

/** Reads a whole host. A broken part is a problem and no more; what vanishes on the way is left out. */
export async function takeSnapshot(
  io: Io,
  context: HostContext,
  include: SnapshotInclusions,
): Promise<HostSnapshot> {
  return new Walk(io, context, include).take();
}

class Walk {
  readonly #io: Io;
  readonly #context: HostContext;
  readonly #include: SnapshotInclusions;
  readonly #problems: Problem[] = [];

  constructor(io: Io, context: HostContext, include: SnapshotInclusions) {
    this.#io = io;
    this.#context = context;
    this.#include = include;
  }

  async take(): Promise<HostSnapshot> {
    const parents: ParentSnapshot[] = [];
    const devices: DeviceSnapshot[] = [];
    const found = await findParents(this.#io, this.#context, (failure, path) => {
      this.#note(failure, `look at ${path}`);
    });
    for (const parent of inNaturalOrderOf(found, ({ path }) => baseName(path))) {
      const whole = await this.#unlessGone(`read the parent ${baseName(parent.path)}`, () =>
        this.#parent(parent),
      );
      if (whole === undefined) continue;
      parents.push(whole.parent);
      devices.push(...whole.devices);
    }
    return Object.freeze({
      parents: Object.freeze(parents),
      devices: Object.freeze(inNaturalOrderOf(devices, ({ id }) => id)),
      problems: Object.freeze(this.#problems),
    });
  }

  async #parent(
    found: FoundParent,
  ): Promise<{ readonly parent: ParentSnapshot; readonly devices: DeviceSnapshot[] }> {
    const { path, layout } = found;
    const id = baseName(path);
    await this.#io.lstat(path);
    const inode = await this.#io.inode(layout.registration(path));
    const types: TypeSnapshot[] = [];
    const typeIds = await this.#unlessGone(`list the types of ${id}`, () => layout.typeIds(this.#io, path));
    for (const typeId of inNaturalOrder(typeIds ?? [])) {
      const type = await this.#type(found, typeId);
      if (type !== undefined) types.push(type);
    }
    const devices: DeviceSnapshot[] = [];
    const listed = await this.#unlessGone(`list the devices of ${id}`, () => layout.devices(this.#io, found));
    for (const device of listed ?? []) {
      const entry = await this.#unlessGone(`read the device ${device.id}`, () => this.#device(device));
      if (entry !== undefined) devices.push(entry);
    }
    const inspection = new Inspection(this.#io, parentOwner(this.#context, found));
    const attributes = await this.#included(inspection, this.#include.parents);
    this.#problems.push(...inspection.problems);
    const parent = { id, path, layout: layout.name, inode, types: Object.freeze(types), attributes };
    return { parent: Object.freeze(parent), devices };
  }

  async #type(parent: FoundParent, id: string): Promise<TypeSnapshot | undefined> {
    const owner = typeOwner(this.#context, parent, id);
    const inspection = new Inspection(this.#io, owner);
    const fact = <F extends TypeFact>(name: F): ReturnType<typeof readTypeFact<F>> =>
      readTypeFact(inspection, parent, id, name);
    const of2016 = parent.layout.name === "general" || parent.layout.name === "class-based";
    const type = {
      id,
      name: await fact("name"),
      description: await fact("description"),
      deviceApi: await fact("deviceApi"),
      availableInstances: await fact("availableInstances"),
      ...(of2016 && {
        requiresGroup: await fact("requiresGroup"),
        maxInstances: await fact("maxInstances"),
        params: await fact("params"),
      }),
      attributes: await this.#included(inspection, this.#include.types),
    };
    return (await this.#isGone(inspection, owner)) ? undefined : Object.freeze(type);
  }

  async #device(device: FoundDevice): Promise<DeviceSnapshot | undefined> {
    const { id, parent } = device;
    const owner = deviceOwner(this.#context, device);
    const { typeId, state, inode } = await parent.layout.look(this.#io, device);
    if (state !== "active") await owner.confirm(this.#io);
    const inspection = new Inspection(this.#io, owner);
    const link = <T>(name: string, codec: Codec<T>): Promise<T | undefined> => inspection.link(name, codec);
    const entry = {
      id,
      parent: baseName(parent.path),
      parentPath: parent.path,
      layout: parent.layout.name,
      type: typeId,
      state,
      driver: await link("driver", text),
      iommuGroup: await link("iommu_group", integer),
      inode,
      attributes: await this.#included(inspection, this.#include.devices),
    };
    return (await this.#isGone(inspection, owner)) ? undefined : Object.freeze(entry);
  }

  async #included(
    inspection: Inspection,
    inclusion: Inclusion | undefined,
  ): Promise<Readonly<Record<string, unknown>>> {
    if (inclusion === undefined) return NOTHING;
    const values: Record<string, unknown> = {};
    for (const [name, descriptor] of Object.entries(inclusion))
      values[name] = await inspection.attribute(descriptor);
    return Object.freeze(values);
  }

  /** Whether an object vanished while it was read; if not, what could not be read are problems. */
  async #isGone({ problems }: Inspection, owner: AttributeOwner): Promise<boolean> {
    if (problems.some(({ type }) => type === "gone")) {
      try {
        await owner.confirm(this.#io);
      } catch (thrown) {
        if (isVanished(thrown)) return true;
        if (!(thrown instanceof FileFailure)) throw thrown;
      }
    }
    this.#problems.push(...problems);
    return false;
  }

  async #unlessGone<T>(tried: string, look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (thrown) {
      if (!(thrown instanceof FileFailure)) throw thrown;
      if (!isVanished(thrown)) this.#note(thrown, tried);
      return undefined;
    }
  }

  #note(failure: FileFailure, tried: string): void {
    this.#problems.push(problemOf(explain(failure, tried, VANISHING)));
  }
}

import { FileFailure, OutsideFailure } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import { inNaturalOrderOf, isPciAddress, isUuid, isVirtualFunctionLink } from "../identifiers.js";
import { log } from "../log.js";
import { baseName, folderOf, type Paths } from "../paths.js";
import type { FoundDevice, FoundParent, LayoutName } from "./layout.js";
import { deviceOf } from "./mdev.js";
import { probe, probeByDevice } from "./probe.js";

/** Where the kernel's registers are, and the layout that the caller forces. */
export interface Registry {
  readonly paths: Paths;
  readonly layout: LayoutName | undefined;
}

/** Is told what an entry could not be asked; by default the log is. */
export type Broken = (failure: FileFailure, path: string) => void;

/**
 * All parents: those with a class link, those that only their devices lead to (the kernel leaves the link out where two
 * parents have the same name), and the functions of NVIDIA's driver.
 */
export async function findParents(io: Io, registry: Registry): Promise<FoundParent[]> {
  const { paths } = registry;
  const folders = new Set(await registeredFolders(io, paths));
  const orphans = await devicesOnBus(io, paths);
  if (orphans.size > 0) {
    // One listing of a folder costs less than the links of its devices.
    for (const folder of folders) {
      for (const name of (await unlessBroken(folder, io.namesIn(folder))) ?? []) orphans.delete(name);
    }
    for (const folder of await parentFoldersOf(io, paths, orphans)) folders.add(folder);
  }
  const found = await probeAll(io, registry, folders);
  log.list("%d parents", found.length);
  return found;
}

/** Whether there is any parent; it looks no further than to the first. */
export async function hasParents(io: Io, registry: Registry): Promise<boolean> {
  const { paths } = registry;
  const links = (await io.namesIn(paths.mdevClass)).map((id) => `${paths.mdevClass}/${id}`);
  const functions = (await io.namesIn(paths.nvidiaDriver)).filter(isPciAddress);
  links.push(...functions.map((id) => `${paths.nvidiaDriver}/${id}`));
  for (const link of links) {
    const folder = await follow(io, paths, link);
    if (folder !== undefined && (await probeAll(io, registry, [folder])).length > 0) return true;
  }
  for (const uuid of await devicesOnBus(io, paths)) {
    const folders = await parentFoldersOf(io, paths, [uuid]);
    if ((await probeAll(io, registry, folders)).length > 0) return true;
  }
  return false;
}

/** The folders of what is registered as a parent: by a link of the class, or of NVIDIA's driver. */
export async function registeredFolders(io: Io, paths: Paths, broken?: Broken): Promise<Set<string>> {
  const folders = new Set<string>();
  for (const id of await io.namesIn(paths.mdevClass))
    await follow(io, paths, `${paths.mdevClass}/${id}`, { into: folders, broken });
  for (const id of (await io.namesIn(paths.nvidiaDriver)).filter(isPciAddress)) {
    await follow(io, paths, `${paths.nvidiaDriver}/${id}`, { into: folders, broken });
  }
  return folders;
}

/** The UUIDs on the bus. */
export async function devicesOnBus(io: Io, { mdevDevices }: Paths): Promise<Set<string>> {
  const devices = new Set<string>();
  await forEachName(io, await io.namesIn(mdevDevices), (name) => {
    if (isUuid(name)) devices.add(name);
  });
  return devices;
}

/** The drivers of the devices on the bus, by UUID: what their links `driver` say, in a few listings. */
export async function driversOnBus(io: Io, { mdevDrivers }: Paths): Promise<ReadonlyMap<string, string>> {
  const drivers = new Map<string, string>();
  for (const driver of (await unlessBroken(mdevDrivers, io.namesIn(mdevDrivers))) ?? []) {
    const folder = `${mdevDrivers}/${driver}`;
    const names = (await unlessBroken(folder, io.namesIn(folder))) ?? [];
    await forEachName(io, names, (name) => drivers.set(name, driver));
  }
  return drivers;
}

/** Does something with each of many names, and lets the event loop run meanwhile. */
async function forEachName(io: Io, names: readonly string[], use: (name: string) => void): Promise<void> {
  for (const [at, name] of names.entries()) {
    if (at % 1024 === 0) await io.turnWhenDue();
    use(name);
  }
}

/** The folders of the parents that devices on the bus have. */
export async function parentFoldersOf(
  io: Io,
  paths: Paths,
  uuids: Iterable<string>,
  broken?: Broken,
): Promise<Set<string>> {
  const devices = new Set<string>();
  for (const uuid of uuids) await follow(io, paths, paths.mdevDevice(uuid), { into: devices, broken });
  return new Set([...devices].map(folderOf));
}

/** The folder of a parent, by its name, whether or not it has a layout that is known. */
export async function findFolder(io: Io, { paths }: Registry, id: string): Promise<string | undefined> {
  const linked = await follow(io, paths, `${paths.mdevClass}/${id}`);
  if (linked !== undefined) return linked;
  if (isPciAddress(id)) {
    const driven = await follow(io, paths, `${paths.nvidiaDriver}/${id}`);
    if (driven !== undefined) return driven;
  }
  const folders = await parentFoldersOf(io, paths, await devicesOnBus(io, paths));
  return [...folders].find((folder) => baseName(folder) === id);
}

/** All devices: those on the bus, and those that are only folders of their parents any more, being removed. */
export async function findDevices(io: Io, registry: Registry): Promise<FoundDevice[]> {
  const found: FoundDevice[] = [];
  for (const parent of await findParents(io, registry)) {
    found.push(...((await unlessBroken(parent.path, parent.layout.devices(io, parent))) ?? []));
  }
  log.list("%d devices", found.length);
  return found;
}

/** One device, by its UUID or, where devices have none, by the PCI address of its function. */
export async function findDevice(io: Io, registry: Registry, id: string): Promise<FoundDevice | undefined> {
  if (isPciAddress(id)) {
    const folder = await findFolder(io, registry, id);
    const [parent] = await probeAll(io, registry, folder === undefined ? [] : [folder]);
    const devices = await parent?.layout.devices(io, parent);
    return devices?.find((device) => device.id === id);
  }
  const path = await follow(io, registry.paths, registry.paths.mdevDevice(id));
  if (path !== undefined) {
    const layout = await probeByDevice(io, path, registry.layout);
    return layout === undefined ? undefined : deviceOf({ path: folderOf(path), layout }, id);
  }
  // While it is being removed, its folder outlives its link.
  for (const parent of await findParents(io, registry)) {
    const device = deviceOf(parent, id);
    if (await io.isDirectory(device.path)) return device;
  }
  return undefined;
}

/** The parents of one card: a physical function and the virtual ones made from it, or one function alone. */
export interface FoundCard {
  readonly path: string;
  readonly parents: readonly FoundParent[];
}

/** The card that a parent is on, with all its parents in natural order. */
export async function findCard(io: Io, registry: Registry, parent: string): Promise<FoundCard> {
  const { paths } = registry;
  const path = (await follow(io, paths, `${parent}/physfn`)) ?? parent;
  const functions = new Set([path]);
  for (const name of (await io.namesIn(path)).filter(isVirtualFunctionLink)) {
    await follow(io, paths, `${path}/${name}`, { into: functions });
  }
  return { path, parents: await probeAll(io, registry, inNaturalOrderOf(functions, baseName)) };
}

/** Those of these parents that are virtual functions of a physical one. */
export async function virtualFunctionsOf(
  io: Io,
  physical: string,
  parents: readonly FoundParent[],
): Promise<readonly FoundParent[]> {
  const functions: FoundParent[] = [];
  for (const parent of parents) {
    const target = await io.linkTarget(`${parent.path}/physfn`);
    if (target !== undefined && baseName(target) === physical) functions.push(parent);
  }
  return functions;
}

/** Those of these folders that are parents. */
async function probeAll(io: Io, registry: Registry, folders: Iterable<string>): Promise<FoundParent[]> {
  const found: FoundParent[] = [];
  for (const path of folders) {
    const layout = await unlessBroken(path, probe(io, path, registry.layout));
    if (layout !== undefined) found.push({ path, layout });
  }
  return found;
}

/** Where a link of the kernel leads; `undefined` where there is none, or where it leads out of the sysfs root. */
async function follow(
  io: Io,
  paths: Paths,
  link: string,
  {
    into,
    broken = logged,
  }: { readonly into?: Set<string> | undefined; readonly broken?: Broken | undefined } = {},
): Promise<string | undefined> {
  const target = await unlessBroken(link, io.linkTarget(link), broken);
  if (target === undefined) return undefined;
  const folder = paths.target(link, target);
  if (folder === undefined) broken(new OutsideFailure(link, target), link);
  else into?.add(folder);
  return folder;
}

/** What one entry says; a broken one must not spoil the listing. */
async function unlessBroken<T>(
  path: string,
  look: Promise<T>,
  broken: Broken = logged,
): Promise<T | undefined> {
  try {
    return await look;
  } catch (thrown) {
    if (!(thrown instanceof FileFailure)) throw thrown;
    broken(thrown, path);
    return undefined;
  }
}

function logged(failure: FileFailure): void {
  log.list("left out: %s", failure.message);
}

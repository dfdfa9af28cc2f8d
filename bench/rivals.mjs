/**
 * The readers that the bench compares: each makes the same document of a sysfs tree. `ours` is the library, as it was built;
 * the others do the same job in the plainest ways that Node offers.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import * as promises from "node:fs/promises";

const LANES = 32;
const nameOf = (/** @type {string} */ path) => path.slice(path.lastIndexOf("/") + 1);
const folderOf = (/** @type {string} */ path) => path.slice(0, path.lastIndexOf("/"));

/**
 * @typedef {{ id: string; name: string; description: string; deviceApi: string; availableInstances: number }} Type
 * @typedef {{ id: string; path: string; inode: number; types: Type[] }} Parent
 * @typedef {{ id: string; parentPath: string; type: string; state: string; driver: string; iommuGroup: number;
 *   inode: number }} Device
 * @typedef {{ parents: Parent[]; devices: Device[] }} Document
 */

/** Everything by the paths that the kernel's documents name, one call after the other. */
export function readSync(/** @type {string} */ sysfs) {
  const [parents, devices] = [/** @type {Parent[]} */ ([]), /** @type {Device[]} */ ([])];
  const read = (/** @type {string} */ path) => readFileSync(path, "utf8").trimEnd();
  for (const id of readdirSync(`${sysfs}/class/mdev_bus`).sort()) {
    const home = `${sysfs}/class/mdev_bus/${id}`;
    const offered = `${home}/mdev_supported_types`;
    const types = readdirSync(offered)
      .sort()
      .map((type) => ({
        id: type,
        name: read(`${offered}/${type}/name`),
        description: read(`${offered}/${type}/description`),
        deviceApi: read(`${offered}/${type}/device_api`),
        availableInstances: Number(read(`${offered}/${type}/available_instances`)),
      }));
    parents.push({
      id,
      path: `${sysfs}/${readlinkSync(home).slice(6)}`,
      inode: lstatSync(offered).ino,
      types,
    });
  }
  for (const id of readdirSync(`${sysfs}/bus/mdev/devices`).sort()) {
    const home = `${sysfs}/bus/mdev/devices/${id}`;
    devices.push({
      id,
      parentPath: `${sysfs}/${folderOf(readlinkSync(home)).slice(9)}`,
      type: nameOf(readlinkSync(`${home}/mdev_type`)),
      state: "active",
      driver: nameOf(readlinkSync(`${home}/driver`)),
      iommuGroup: Number(nameOf(readlinkSync(`${home}/iommu_group`))),
      inode: lstatSync(`${home}/remove`).ino,
    });
  }
  return { parents, devices };
}

/** The same with promises, so many calls at a time. */
export async function readPromises(/** @type {string} */ sysfs) {
  const read = async (/** @type {string} */ path) => (await promises.readFile(path, "utf8")).trimEnd();
  const ids = (await promises.readdir(`${sysfs}/class/mdev_bus`)).sort();
  const parents = await inLanes(ids, async (id) => {
    const home = `${sysfs}/class/mdev_bus/${id}`;
    const offered = `${home}/mdev_supported_types`;
    const { ino } = await promises.lstat(offered);
    const path = `${sysfs}/${(await promises.readlink(home)).slice(6)}`;
    return { id, path, inode: ino, types: (await promises.readdir(offered)).sort() };
  });
  const offers = parents.flatMap(({ id, types }) =>
    types.map((type) => ({ type, home: `${sysfs}/class/mdev_bus/${id}/mdev_supported_types/${type}` })),
  );
  const read4 = await inLanes(offers, async ({ type, home }) => ({
    id: type,
    name: await read(`${home}/name`),
    description: await read(`${home}/description`),
    deviceApi: await read(`${home}/device_api`),
    availableInstances: Number(await read(`${home}/available_instances`)),
  }));
  const uuids = (await promises.readdir(`${sysfs}/bus/mdev/devices`)).sort();
  const devices = await inLanes(uuids, async (id) => {
    const home = `${sysfs}/bus/mdev/devices/${id}`;
    return {
      id,
      parentPath: `${sysfs}/${folderOf(await promises.readlink(home)).slice(9)}`,
      type: nameOf(await promises.readlink(`${home}/mdev_type`)),
      state: "active",
      driver: nameOf(await promises.readlink(`${home}/driver`)),
      iommuGroup: Number(nameOf(await promises.readlink(`${home}/iommu_group`))),
      inode: (await promises.lstat(`${home}/remove`)).ino,
    };
  });
  let next = 0;
  return {
    parents: parents.map((parent) => ({
      ...parent,
      types: parent.types.map(() => /** @type {Type} */ (read4[next++])),
    })),
    devices,
  };
}

/**
 * @template T, R
 * @param {readonly T[]} things
 * @param {(thing: T) => Promise<R>} make
 */
async function inLanes(things, make) {
  const made = /** @type {R[]} */ (new Array(things.length));
  let next = 0;
  const work = async () => {
    for (let at = next++; at < things.length; at = next++)
      made[at] = await make(/** @type {T} */ (things[at]));
  };
  await Promise.all(Array.from({ length: LANES }, work));
  return made;
}

/** The document of one of the library's snapshots. */
export function documentOf(/** @type {import("vfio-mdev").HostSnapshot} */ { parents, devices }) {
  return {
    parents: parents.map(({ id, path, inode, types }) => ({
      id,
      path,
      inode,
      types: types.map(({ id: type, name, description, deviceApi, availableInstances }) => ({
        id: type,
        name,
        description,
        deviceApi,
        availableInstances,
      })),
    })),
    devices: devices.map(({ id, parentPath, type, state, driver, iommuGroup, inode }) => ({
      id,
      parentPath,
      type,
      state,
      driver,
      iommuGroup,
      inode,
    })),
  };
}

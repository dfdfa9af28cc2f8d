// @ts-check
/** A small manager: keeps so many vGPUs of one type ready on a GPU, and touches no others. `desktop-pool.test.mjs` tests it. */

const OWNER = "desktop-pool";

export class DesktopPool {
  /** @param {{ host: import("vfio-mdev").MdevHost, gpu: string, type: string }} place */
  constructor({ host, gpu, type }) {
    this.host = host;
    this.gpu = gpu;
    this.type = type;
  }

  /** Brings the pool to a size; says what it did and why it could not do more. @param {number} size */
  async resize(size) {
    const owned = await this.host.ownedDevices(OWNER).getOrThrow();
    const free = [];
    for (const device of owned.devices) {
      const { state } = await device.inUse().getOrThrow();
      if (state !== "yes") free.push(device);
    }
    const surplus = free.slice(0, Math.max(0, owned.devices.length - size));
    for (const device of surplus) await device.remove({ owner: OWNER }).getOrThrow();

    const type = await this.host
      .parent(this.gpu)
      .map((gpu) => gpu.type(this.type))
      .getOrThrow();
    for (let missing = size - owned.devices.length; missing > 0; missing--) {
      const created = await type.create({ owner: OWNER });
      if (!created.ok && created.error.type === "no-instances") return { removed: surplus.length, missing };
      created.getOrThrow();
    }
    return { removed: surplus.length, missing: 0 };
  }
}

import type { PlaceRejection } from "../placement/placer.js";

/** Where one device goes. */
export interface Move {
  /** Its id on the source. */
  readonly device: string;
  /**
   * Its id on the target: its own UUID where nobody has that there, the device that it takes over, or the address of its
   * function. `undefined` where another UUID has to be chosen, and the virtual machine told.
   */
  readonly id: string | undefined;
  /** Whether a device that is there is taken over; otherwise one has to be created. */
  readonly existing: boolean;
  /** The id of its parent on the target. */
  readonly parent: string;
  /** The folder of that parent. */
  readonly parentPath: string;
  /** The id of its type on the target, which can be another one than on the source. */
  readonly type: string;
}

/** Why a migration is not possible. */
export interface Obstacle {
  /**
   * `"no-type"`: no parent of the target has the type; `"no-room"`: none that has it has room; `"not-active"`: the device is being
   * created or removed; `"unknown-type"`: its type does not show; `"too-many"`: more devices than the manager can migrate with
   * a virtual machine; `"too-old"`: the kernel, QEMU or libvirt of one of the hosts.
   */
  readonly kind: "no-type" | "no-room" | "not-active" | "unknown-type" | "too-many" | "too-old";
  /** The id of the device; `undefined` where it is about all of them. */
  readonly device: string | undefined;
  /** What is wrong, as a sentence without a full stop. */
  readonly reason: string;
  /** For how many parents of the target which reason speaks against them, with `"no-type"` and `"no-room"`. */
  readonly parents: Readonly<Partial<Record<PlaceRejection, number>>>;
}

/** Where the devices of a virtual machine go, or why they cannot. Frozen, plain data. */
export type MigrationMap =
  | {
      /** Each device has a place of its own. */
      readonly possible: true;
      /** The places, in the order of the devices. */
      readonly moves: readonly Move[];
    }
  | {
      /** At least one has none, or the hosts cannot do it. */
      readonly possible: false;
      /** All that stands against it. */
      readonly obstacles: readonly Obstacle[];
    };

import { Errno } from "../errno.js";
import { line } from "../kernel/device-files.js";
import type { Kernel } from "../kernel/kernel.js";

/** The drivers of I/O subchannels: that of the host, and that of mediated devices. */
export type CssDriver = "io_subchannel" | "vfio_ccw";

/** What the bus asks of a subchannel. */
interface Member {
  readonly id: string;
  readonly driver: CssDriver | undefined;
  bind(driver: CssDriver): void;
  unbind(): Promise<void>;
}

/** `/sys/bus/css/drivers`: the files that bind and unbind subchannels. */
class CssBus {
  readonly #members = new Map<string, Member>();

  constructor({ sysfs }: Kernel) {
    for (const driver of ["io_subchannel", "vfio_ccw"] as const) {
      const folder = sysfs.ensure(`bus/css/drivers/${driver}`);
      folder.file("bind", 0o200, { write: (text) => this.#find(text).bind(driver) });
      folder.file("unbind", 0o200, {
        write: async (text) => {
          const member = this.#find(text);
          if (member.driver !== driver) throw new Errno("ENODEV");
          await member.unbind();
        },
      });
    }
  }

  add(member: Member): void {
    this.#members.set(member.id, member);
  }

  forget(member: Member): void {
    this.#members.delete(member.id);
  }

  #find(text: string): Member {
    const member = this.#members.get(line(text));
    if (!member) throw new Errno("ENODEV");
    return member;
  }
}

const buses = new WeakMap<Kernel, CssBus>();

/** The channel subsystem of a kernel, made with its first subchannel. */
export function cssOf(kernel: Kernel): Pick<CssBus, "add" | "forget"> {
  const bus = buses.get(kernel) ?? new CssBus(kernel);
  buses.set(kernel, bus);
  return bus;
}

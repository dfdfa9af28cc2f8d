import type { Io } from "../file-system/io.js";
import type { Paths } from "../paths.js";
import { typesOf } from "./mdev.js";

/**
 * Which of the interfaces before September 2016 a parent has, where `mdev_supported_types` was one text file: it is
 * recognised to be named, and not spoken. `undefined`: none.
 */
export async function draftOf(io: Io, parent: string, { sysfs }: Paths): Promise<string | undefined> {
  const types = typesOf(parent);
  if (!(await io.exists(types)) || !(await io.lstat(types)).isFile()) return undefined;
  if (await io.exists(`${sysfs}/class/mdev/mdev_shutdown`))
    return "generation A (spring 2016, mdev_start and mdev_shutdown)";
  if (await io.exists(`${sysfs}/class/mdev/mdev_stop`))
    return "generation B (August 2016, mdev_start and mdev_stop)";
  return "generation C (2016, mdev_create and mdev_destroy by UUID)";
}

/** What a small program is: it starts, imports the library, takes a snapshot and prints it. */
import { MdevHost } from "vfio-mdev";

const host = new MdevHost({ sysfs: process.argv[2] });
process.stdout.write(JSON.stringify(await host.snapshot().getOrThrow()));

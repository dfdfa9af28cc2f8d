/*
 * The floor: what a snapshot costs in C, with one thread and no work beyond it. It prints the document that every reader
 * of the bench prints: parents with types and their four attributes; devices with parent, type, state, driver, IOMMU
 * group and inode.
 *
 *   floor [-f] [-s] SYSFS
 *
 * Names are short and relative to open folders. Devices come from the bus, with four links and one lstat each; with -f
 * from the folders of their parents, and drivers from listings, as the library does it. -s: one document for each line of
 * standard input, answered with the nanoseconds that it took, by the clock and of the processor; without, the document is
 * printed once.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) { perror(what); exit(1); }

/* Growing memory: the document, and the names of one pass. */
struct bytes { char *at; size_t size, room; };
static struct bytes document, names;

static char *take(struct bytes *to, size_t size) {
  if (to->size + size > to->room) {
    if (to == &names) die("too many names");
    to->room = 2 * (to->size + size) + 4096;
    if (!(to->at = realloc(to->at, to->room))) die("realloc");
  }
  to->size += size;
  return to->at + to->size - size;
}
static void put(const char *text, size_t size) { memcpy(take(&document, size), text, size); }
static void say(const char *text) { put(text, strlen(text)); }
static void quoted(const char *text, size_t size) {
  say("\"");
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '"' || text[i] == '\\') say("\\");
    if (text[i] == '\n') say("\\n");
    else put(text + i, 1);
  }
  say("\"");
}
static char *keep(const char *text) {
  size_t size = strlen(text) + 1;
  return memcpy(take(&names, size), text, size);
}

struct list { char **name; size_t count, room; };
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(int folder, struct list *into) {
  static char buffer[1 << 15];
  ssize_t size;
  into->count = 0;
  while ((size = getdents64(folder, buffer, sizeof buffer)) > 0)
    for (char *at = buffer; at < buffer + size;) {
      struct dirent64 *entry = (void *)at;
      at += entry->d_reclen;
      if (entry->d_name[0] == '.') continue;
      if (into->count == into->room) {
        into->room = 2 * into->room + 64;
        if (!(into->name = realloc(into->name, into->room * sizeof *into->name))) die("realloc");
      }
      into->name[into->count++] = keep(entry->d_name);
    }
  if (size < 0) die("getdents64");
  qsort(into->name, into->count, sizeof *into->name, by_name);
}
static int folder(int at, const char *name) {
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) die(name);
  return fd;
}
static size_t text(int at, const char *path, char *into, size_t room) {
  int fd = openat(at, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die(path);
  ssize_t size = read(fd, into, room);
  if (size < 0) die(path);
  close(fd);
  while (size > 0 && into[size - 1] <= ' ') size--;
  return size;
}
/* The last name of a link's target; the target itself stays in a buffer. */
static char target[4096];
static const char *linked(int at, const char *path) {
  ssize_t size = readlinkat(at, path, target, sizeof target - 1);
  if (size < 0) die(path);
  target[size] = 0;
  const char *slash = strrchr(target, '/');
  return slash ? slash + 1 : target;
}

struct device { char *id, *parent; };
static int by_id(const void *a, const void *b) {
  return strcmp(((const struct device *)a)->id, ((const struct device *)b)->id);
}
static struct device *devices;
static size_t device_count, device_room;
static void add(char *id, char *parent) {
  if (device_count == device_room) {
    device_room = 2 * device_room + 1024;
    if (!(devices = realloc(devices, device_room * sizeof *devices))) die("realloc");
  }
  devices[device_count++] = (struct device){id, parent};
}
static int is_uuid(const char *name) { return strlen(name) == 36 && name[8] == '-' && name[23] == '-'; }

static void type(int types, const char *id) {
  static const char *const file[] = {"name", "description", "device_api", "available_instances"};
  static const char *const key[] = {"name", "description", "deviceApi", "availableInstances"};
  char path[512], value[4096], label[64];
  say("{\"id\":");
  quoted(id, strlen(id));
  for (int i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s/%s", id, file[i]);
    size_t size = text(types, path, value, sizeof value);
    snprintf(label, sizeof label, ",\"%s\":", key[i]);
    say(label);
    if (i == 3) put(value, size);
    else quoted(value, size);
  }
  say("}");
}

static void device(int at, const char *path, const struct device *it, const char *driver) {
  char name[5000];
  struct stat remove;
  say("{\"id\":\"");
  say(it->id);
  say("\",\"parentPath\":\"");
  say(it->parent);
  snprintf(name, sizeof name, "%s/mdev_type", path);
  say("\",\"type\":\"");
  say(linked(at, name));
  snprintf(name, sizeof name, "%s/remove", path);
  int active = fstatat(at, name, &remove, AT_SYMLINK_NOFOLLOW) == 0;
  say(active ? "\",\"state\":\"active\"" : "\",\"state\":\"removing\"");
  if (!driver) {
    snprintf(name, sizeof name, "%s/driver", path);
    driver = linked(at, name);
  }
  say(",\"driver\":\"");
  say(driver);
  snprintf(name, sizeof name, "%s/iommu_group", path);
  say("\",\"iommuGroup\":");
  say(linked(at, name));
  snprintf(name, sizeof name, ",\"inode\":%lu}", (unsigned long)remove.st_ino);
  say(name);
}

static void snapshot(const char *sysfs, int by_folders) {
  static struct list parents, types, entries, drivers, bound;
  static char path[8192];
  document.size = names.size = device_count = 0;
  snprintf(path, sizeof path, "%s/class/mdev_bus", sysfs);
  int class = folder(AT_FDCWD, path);
  list(class, &parents);
  say("{\"parents\":[");
  for (size_t i = 0; i < parents.count; i++) {
    linked(class, parents.name[i]);
    snprintf(path, sizeof path, "%s/%s", sysfs, target + strlen("../../"));
    char *parent = keep(path);
    int home = folder(AT_FDCWD, parent), offered = folder(home, "mdev_supported_types");
    struct stat registration;
    if (fstat(offered, &registration)) die(parent);
    say(i ? ",{\"id\":\"" : "{\"id\":\"");
    say(parents.name[i]);
    say("\",\"path\":\"");
    say(parent);
    snprintf(path, sizeof path, "\",\"inode\":%lu,\"types\":[", (unsigned long)registration.st_ino);
    say(path);
    list(offered, &types);
    for (size_t j = 0; j < types.count; j++) {
      if (j) say(",");
      type(offered, types.name[j]);
    }
    say("]}");
    if (by_folders) {
      list(home, &entries);
      for (size_t j = 0; j < entries.count; j++)
        if (is_uuid(entries.name[j])) add(entries.name[j], parent);
    }
    close(offered);
    close(home);
  }
  close(class);
  say("],\"devices\":[");
  snprintf(path, sizeof path, "%s/bus/mdev", sysfs);
  int bus = folder(AT_FDCWD, path), on_bus = folder(bus, "devices");
  list(on_bus, &entries);
  if (!by_folders)
    for (size_t i = 0; i < entries.count; i++) {
      linked(on_bus, entries.name[i]);
      *strrchr(target, '/') = 0;
      snprintf(path, sizeof path, "%s/%s", sysfs, target + strlen("../../../"));
      add(entries.name[i], keep(path));
    }
  else {
    int all = folder(bus, "drivers");
    list(all, &drivers);
    for (size_t i = 0; i < drivers.count; i++) {
      int one = folder(all, drivers.name[i]);
      list(one, &bound);
      close(one);
    }
    close(all);
  }
  qsort(devices, device_count, sizeof *devices, by_id);
  for (size_t i = 0; i < device_count; i++) {
    if (i) say(",");
    if (by_folders) {
      /* One driver has them all in the trees of the bench; else each of them would have to be looked for. */
      const char *driver = bsearch(&devices[i].id, bound.name, bound.count, sizeof *bound.name, by_name) ? drivers.name[0] : NULL;
      snprintf(path, sizeof path, "%s/%s", devices[i].parent, devices[i].id);
      device(AT_FDCWD, path, &devices[i], driver);
    } else device(on_bus, devices[i].id, &devices[i], NULL);
  }
  close(on_bus);
  close(bus);
  say("]}");
}

static long long now(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

int main(int count, char **given) {
  int option, by_folders = 0, serve = 0;
  while ((option = getopt(count, given, "fs")) != -1) {
    if (option == 'f') by_folders = 1;
    else if (option == 's') serve = 1;
    else return 2;
  }
  if (optind != count - 1) return 2;
  names.room = 64 << 20;
  if (!(names.at = malloc(names.room))) die("malloc");
  char line[64];
  while (serve && fgets(line, sizeof line, stdin)) {
    long long wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    snapshot(given[optind], by_folders);
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%lld %lld\n", now(CLOCK_MONOTONIC) - wall, cpu);
    fflush(stdout);
  }
  if (!serve) {
    snapshot(given[optind], by_folders);
    fwrite(document.at, 1, document.size, stdout);
  }
  return 0;
}

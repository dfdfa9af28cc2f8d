/*
 * Has a VFIO device open, as a virtual machine monitor has it.
 *
 *   hold GROUP [DEVICE]     GROUP: the number of /dev/vfio/GROUP; DEVICE: the UUID of the mediated device in it
 *
 * Says "held" when it has, or what failed, with status 1. Lets go when its standard input ends. Without a device
 * it has the group alone open: a monitor that is starting, or gave up half way.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int done(const char *step, int result)
{
	if (result < 0) {
		printf("%s: %s\n", step, strerror(errno));
		exit(1);
	}
	return result;
}

int main(int argc, char **argv)
{
	char node[64], byte;
	int group, container;

	if (argc < 2 || argc > 3) {
		puts("usage: hold GROUP [DEVICE]");
		return 2;
	}
	snprintf(node, sizeof node, "/dev/vfio/%s", argv[1]);
	group = done(node, open(node, O_RDWR));
	if (argc == 3) {
		container = done("/dev/vfio/vfio", open("/dev/vfio/vfio", O_RDWR));
		done("VFIO_GROUP_SET_CONTAINER", ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
		done("VFIO_SET_IOMMU", ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
		done("VFIO_GROUP_GET_DEVICE_FD", ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]));
	}
	puts("held");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

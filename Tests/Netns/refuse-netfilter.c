// refuse-netfilter.c: to be preloaded. What becomes of sockets of netlink's netfilter family stands in the file $REFUSE, which
// is read each time; while there is none of that name they are as ever.
//
//   forbidden      EPERM, as a security module or a seccomp profile has it that forbids the family to a process with
//                  CAP_NET_ADMIN
//   no-netfilter   EPROTONOSUPPORT, as of a kernel without nfnetlink
//   no-nf_tables   one that answers each question by EINVAL, as nfnetlink does of a subsystem that it does not know: a socket
//                  of another family, in which nf_tables' numbers mean nothing
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void read_refusal(char *refusal, int size)
{
	const char *path = getenv("REFUSE");
	FILE *file = path ? fopen(path, "re") : NULL;

	if (!file)
		return;
	if (fgets(refusal, size, file))
		refusal[strcspn(refusal, "\n")] = 0;
	fclose(file);
}

int socket(int domain, int type, int protocol)
{
	char refusal[32] = "";

	if (domain == AF_NETLINK && protocol == NETLINK_NETFILTER)
		read_refusal(refusal, sizeof(refusal));
	if (!strcmp(refusal, "forbidden")) {
		errno = EPERM;
		return -1;
	}
	if (!strcmp(refusal, "no-netfilter")) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	if (!strcmp(refusal, "no-nf_tables"))
		protocol = NETLINK_SOCK_DIAG;
	return syscall(SYS_socket, domain, type, protocol);
}

/* linux/if_tun.h for Swift, which does not see macros made of other macros. */
#ifndef CLINUX_TUN_SHIM_H
#define CLINUX_TUN_SHIM_H

#include <net/if.h>
#include <linux/if_tun.h>
#include <asm/ioctl.h>

/* Linux 6.2; the headers of Debian 12 are older. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* Linux 5.9. */
#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif

enum clinux_tun_request {
    CLINUX_TUNSETIFF = TUNSETIFF,
    CLINUX_TUNSETOFFLOAD = TUNSETOFFLOAD,
    CLINUX_TUNSETVNETHDRSZ = TUNSETVNETHDRSZ,
    CLINUX_TUNGETIFF = TUNGETIFF,
    CLINUX_TUNGETDEVNETNS = TUNGETDEVNETNS,
};

enum clinux_tun_flag {
    CLINUX_TUN_LAYER3 = IFF_TUN,
    CLINUX_TUN_NO_PI = IFF_NO_PI,
    CLINUX_TUN_VNET_HDR = IFF_VNET_HDR,
    CLINUX_TUN_MULTI_QUEUE = IFF_MULTI_QUEUE,
    CLINUX_TUN_EXCLUSIVE = IFF_TUN_EXCL,
};

enum clinux_tun_offload {
    CLINUX_TUN_CSUM = TUN_F_CSUM,
    CLINUX_TUN_TSO4 = TUN_F_TSO4,
    CLINUX_TUN_TSO6 = TUN_F_TSO6,
    CLINUX_TUN_USO4 = TUN_F_USO4,
    CLINUX_TUN_USO6 = TUN_F_USO6,
};

#endif

// Package nl80211 speaks with the kernel about WiFi: radios and their interfaces, scans, authentication and association,
// keys, frames, the access point, and what countries allow. It is nl80211 of linux/nl80211.h over generic netlink, in
// the field's words and the types of [manofwar/netmgr/ieee80211].
//
// It decides nothing and keeps no state but that of its socket: which network to join is policy's, how to join one is package
// station's, how to be one is package accesspoint's. A [Conn] carries requests and events over one socket, in the
// kernel's order. Attributes of newer kernels are passed over. Left out are meshes, IBSS, P2P, monitors, and everything
// above WPA-Personal.
//
// CAP_NET_ADMIN is needed for everything but looking.
package nl80211

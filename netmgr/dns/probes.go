package dns

import "net/netip"

// The name that Windows resolves to see whether DNS works, and what it expects. With another answer it thinks that there is
// no DNS and asks for no page.
const windowsDNS = "dns.msftncsi.com."

var (
	windowsDNS4 = netip.MustParseAddr("131.107.255.255")
	windowsDNS6 = netip.MustParseAddr("fd3e:4f5a:5b81::1")
)

// firefoxCanary is the name by whose absence a network asks Firefox to use its name server and not one over HTTPS.
const firefoxCanary = "use-application-dns.net."

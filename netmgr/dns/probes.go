package dns

import "net/netip"

// probes are the hosts that systems ask over plain HTTP whether a sign-in page holds them. Hosts that serve anything else
// as well (www.google.com, play.googleapis.com, www.apple.com, spectrum.s3.amazonaws.com) are left alone.
var probes = map[string]bool{
	"captive.apple.com.": true, // iOS, macOS: support.apple.com/102766

	"connectivitycheck.gstatic.com.": true, // Android: packages/modules/NetworkStack, res/values/config.xml
	"connectivitycheck.android.com.": true, // Android 6
	"clients3.google.com.":           true, // Android 5

	"connect.rom.miui.com.":                   true, // Xiaomi's Android
	"connectivitycheck.platform.hicloud.com.": true, // Huawei's
	"conn1.oppomobile.com.":                   true, // Oppo's
	"conn2.oppomobile.com.":                   true,
	"wifi.vivo.com.cn.":                       true, // Vivo's
	"connectivity.samsung.com.cn.":            true, // Samsung's, sold in China
	"connectivitycheck.grapheneos.network.":   true, // GrapheneOS

	"www.msftconnecttest.com.":  true, // Windows 10 and later: Network Connectivity Status Indicator
	"ipv6.msftconnecttest.com.": true,
	"www.msftncsi.com.":         true, // Windows 7 and 8
	"ipv6.msftncsi.com.":        true,

	"detectportal.firefox.com.": true, // Firefox: captivedetect.canonicalURL

	"fireoscaptiveportal.com.":       true, // Amazon's Fire OS
	"nmcheck.gnome.org.":             true, // NetworkManager
	"network-test.debian.org.":       true,
	"connectivity-check.ubuntu.com.": true,
	"ping.archlinux.org.":            true,
	"networkcheck.kde.org.":          true, // KDE
}

// The name that Windows resolves to see whether DNS works, and what it expects. With another answer it thinks that there is
// no DNS and asks for no page.
const windowsDNS = "dns.msftncsi.com."

var (
	windowsDNS4 = netip.MustParseAddr("131.107.255.255")
	windowsDNS6 = netip.MustParseAddr("fd3e:4f5a:5b81::1")
)

// firefoxCanary is the name by whose absence a network asks Firefox to use its name server and not one over HTTPS.
const firefoxCanary = "use-application-dns.net."

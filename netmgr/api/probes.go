package api

// ProbeHosts are the names from which phones and computers fetch a known page to find out whether a network wants a
// sign-in first; sorted, in lower case. While our access point captures probes its clients are told that these are us,
// and the portal answers them: with the way to the setup page, and once a client is done with what it expects.
//
// Names that serve more than such a page, like www.google.com, are not among them: while there is an internet, they must
// be reached. The portal answers their probes too, for when all names are captured.
var ProbeHosts = []string{
	"captive.apple.com",                      // iOS, macOS
	"clients3.google.com",                    // Android, ChromeOS
	"conn1.oppomobile.com",                   // Oppo, Realme, OnePlus
	"conn2.oppomobile.com",                   // Oppo, Realme, OnePlus
	"connect.rom.miui.com",                   // Xiaomi
	"connectivity-check.ubuntu.com",          // Ubuntu
	"connectivity.samsung.com.cn",            // Samsung in China
	"connectivitycheck.android.com",          // Android
	"connectivitycheck.grapheneos.network",   // GrapheneOS
	"connectivitycheck.gstatic.com",          // Android, ChromeOS
	"connectivitycheck.platform.hicloud.com", // Huawei
	"detectportal.firefox.com",               // Firefox
	"fireoscaptiveportal.com",                // Amazon's Fire OS
	"ipv6.msftconnecttest.com",               // Windows
	"ipv6.msftncsi.com",                      // Windows before 10
	"network-test.debian.org",                // Debian's NetworkManager
	"nmcheck.gnome.org",                      // GNOME's NetworkManager
	"wifi.vivo.com.cn",                       // Vivo
	"www.msftconnecttest.com",                // Windows
	"www.msftncsi.com",                       // Windows before 10
}

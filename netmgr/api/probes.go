package api

// ProbeHosts are the names from which phones and computers fetch a known page to find out whether a network wants a
// sign-in first; sorted, in lower case. While our access point captures probes its clients are told that these are us,
// and the portal answers them: with the way to the setup page, and once a client is done with what it expects.
//
// Names that serve more than such a page, like www.google.com, are not among them: while there is an internet, they must
// be reached. The portal answers their probes too, for when all names are captured.
var ProbeHosts = []string{
	"captive.apple.com",             // iOS, macOS
	"clients3.google.com",           // Android, ChromeOS
	"connectivity-check.ubuntu.com", // Ubuntu
	"connectivitycheck.android.com", // Android
	"connectivitycheck.gstatic.com", // Android, ChromeOS
	"detectportal.firefox.com",      // Firefox
	"ipv6.msftconnecttest.com",      // Windows
	"network-test.debian.org",       // Debian's NetworkManager
	"nmcheck.gnome.org",             // GNOME's NetworkManager
	"www.msftconnecttest.com",       // Windows
	"www.msftncsi.com",              // Windows before 10
}

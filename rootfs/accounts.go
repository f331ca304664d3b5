package rootfs

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
)

// User is an account that a service runs as. Its own group has the same name and number.
type User struct {
	Name   string
	ID     uint32
	Groups []string // further ones, of the table below
}

// mediaGroup may read the owner's disks: PID 1 mounts them so.
const mediaGroup = "media"

// users are our own services' accounts. Files on /data belong to these numbers: they never change and are never
// used again for another service.
var users = []User{
	{Name: "catalog", ID: 1000, Groups: []string{mediaGroup}},
	{Name: "stream", ID: 1001, Groups: []string{mediaGroup}},
	{Name: "portal", ID: 1002, Groups: []string{mediaGroup}},
	{Name: "cast", ID: 1003},
	{Name: "seed", ID: 1004, Groups: []string{mediaGroup}},
	{Name: "remote", ID: 1005},
	{Name: "update", ID: 1006},
	{Name: "netmgr", ID: 1007},
	{Name: "player", ID: 1008, Groups: []string{mediaGroup, "audio", "video"}},
}

// groups are those that no user is named after, numbered as in Debian where Debian has them.
var groups = []struct {
	name string
	id   uint32
}{
	{"root", 0}, {"tty", 5}, {"disk", 6}, {"audio", 29}, {"video", 44}, {"input", 104}, {mediaGroup, 500}, {"nogroup", 65534},
}

// Numbers of users that are not in the table: an owner's own programs.
const (
	firstForeign = 20000
	foreign      = 40000
)

var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,30}$`)

// Account returns the account of a name: the table's, or for an owner's own program one whose number follows from
// the name, so that its files stay its own whatever else is added to the image. The error says what a name must be.
func Account(name string) (User, error) {
	if !userName.MatchString(name) {
		return User{}, fmt.Errorf("user %q: want 1 to 31 of a-z, 0-9, _ and -, beginning with a letter", name)
	}
	if i := slices.IndexFunc(users, func(u User) bool { return u.Name == name }); i >= 0 {
		return users[i], nil
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return User{Name: name, ID: firstForeign + h.Sum32()%foreign}, nil
}

// accounts makes /etc/passwd and /etc/group for the users named, with root and nobody. The error names a user whose
// name or number is taken.
func accounts(names []string) (passwd, group []byte, err error) {
	list := []User{{Name: "root"}, {Name: "nobody", ID: 65534}}
	for _, name := range names {
		u, err := Account(name)
		if err != nil {
			return nil, nil, err
		}
		for _, other := range list {
			if u.Name != other.Name && u.ID == other.ID {
				return nil, nil, fmt.Errorf("user %s would have the number of %s (%d): choose another name", u.Name, other.Name, u.ID)
			}
		}
		for _, g := range groups {
			if g.name == name && name != "root" {
				return nil, nil, fmt.Errorf("user %s: a group of the system has this name: choose another", name)
			}
		}
		if !slices.ContainsFunc(list, func(o User) bool { return o.Name == u.Name }) {
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(a, b User) int { return int(a.ID) - int(b.ID) })
	return passwdFile(list), groupFile(list), nil
}

func passwdFile(list []User) []byte {
	var b bytes.Buffer
	for _, u := range list {
		home, gid := "/data/"+u.Name, u.ID
		if u.ID == 0 || u.ID == 65534 {
			home = "/"
		}
		// Nobody logs in here: no passwords, no shell.
		fmt.Fprintf(&b, "%s:x:%d:%d::%s:/sbin/nologin\n", u.Name, u.ID, gid, home)
	}
	return b.Bytes()
}

func groupFile(list []User) []byte {
	var b bytes.Buffer
	for _, g := range groups {
		var members []string
		for _, u := range list {
			if slices.Contains(u.Groups, g.name) {
				members = append(members, u.Name)
			}
		}
		fmt.Fprintf(&b, "%s:x:%d:%s\n", g.name, g.id, strings.Join(members, ","))
	}
	for _, u := range list {
		if u.ID != 0 && u.ID != 65534 {
			fmt.Fprintf(&b, "%s:x:%d:\n", u.Name, u.ID)
		}
	}
	return b.Bytes()
}

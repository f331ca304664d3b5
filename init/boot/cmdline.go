package boot

import "strings"

// Cmdline is the kernel's command line: the last value of each parameter. Parameters without a value have "".
// Parameters of manofwar begin with "manofwar.".
type Cmdline map[string]string

// ParseCmdline splits the line at blanks, outside of double quotes (kernel: lib/cmdline.c, next_arg).
func ParseCmdline(line string) Cmdline {
	c := make(Cmdline)
	quoted := false
	for _, field := range strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\n' || r == '\t')
	}) {
		key, value, _ := strings.Cut(field, "=")
		c[strings.Trim(key, `"`)] = strings.Trim(value, `"`)
	}
	return c
}

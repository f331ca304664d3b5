package cast

// recent remembers which requests were done, by the name that their sender gave them.
type recent struct {
	sessions map[string]string // the session of each
	order    []string
}

// maxRecent bounds how many are remembered: more than phones send while a network stutters.
const maxRecent = 256

func (r *recent) done(name string) (session string, ok bool) {
	session, ok = r.sessions[name]
	return session, ok && name != ""
}

func (r *recent) add(name, session string) {
	if name == "" {
		return
	}
	if r.sessions == nil {
		r.sessions = make(map[string]string)
	}
	if _, ok := r.sessions[name]; !ok {
		r.order = append(r.order, name)
	}
	r.sessions[name] = session
	if len(r.order) > maxRecent {
		delete(r.sessions, r.order[0])
		r.order = r.order[1:]
	}
}

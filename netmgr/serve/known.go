package serve

import (
	"net/http"

	"manofwar/internal/ipc"
	"manofwar/netmgr/api"
)

// exchange reads a body, hands it to f and answers with what that returns.
func exchange[In, Out any](w http.ResponseWriter, r *http.Request, f func(In) (Out, error)) error {
	var in In
	if err := ipc.ReadJSON(w, r, &in); err != nil {
		return err
	}
	out, err := f(in)
	if err != nil {
		return err
	}
	ipc.WriteJSON(w, out)
	return nil
}

func (s *Server) profiles(w http.ResponseWriter, _ *http.Request) error {
	ipc.WriteJSON(w, s.options.Store.List())
	return nil
}

func (s *Server) createProfile(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, s.options.Store.Create)
}

func (s *Server) changeProfile(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, func(n api.NewProfile) (api.Profile, error) { return s.options.Store.Change(r.PathValue("id"), n) })
}

func (s *Server) deleteProfile(w http.ResponseWriter, r *http.Request) error {
	if err := s.options.Store.Delete(r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) orderProfiles(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, s.options.Store.Order)
}

func (s *Server) settings(w http.ResponseWriter, _ *http.Request) error {
	ipc.WriteJSON(w, s.options.Store.Chosen())
	return nil
}

func (s *Server) changeSettings(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, s.options.Store.Choose)
}

func (s *Server) export(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, func(e api.ExportRequest) (api.Exported, error) {
		data, err := s.options.Store.Export(e.Passphrase)
		return api.Exported{Data: data}, err
	})
}

func (s *Server) imports(w http.ResponseWriter, r *http.Request) error {
	return exchange(w, r, func(i api.ImportRequest) (api.Imported, error) { return s.options.Store.Import(i.Passphrase, i.Data) })
}

package api

import (
	"context"
	"net/http"
	"net/url"
)

// Streaming tells the network manager that something plays over the network, so that it does not leave a working
// network for a preferred one meanwhile. It is believed for a minute: say it again while it lasts.
type Streaming struct {
	Active bool `json:"active"`
	Buffer int  `json:"buffer_s"` // seconds of it that were sent ahead
}

// Imported is what an import took in.
type Imported struct {
	Profiles int  `json:"profiles"` // networks that were added or changed
	Settings bool `json:"settings"` // the settings were taken over
}

// The bodies of export and import.
type (
	// ExportRequest asks for an export.
	ExportRequest struct {
		Passphrase string `json:"passphrase"` // at least 8 characters
	}
	// Exported is an export: a file of age (age-encryption.org/v1), to be opened with the passphrase only.
	Exported struct {
		Data []byte `json:"data"`
	}
	// ImportRequest takes an export in.
	ImportRequest struct {
		Passphrase string `json:"passphrase"`
		Data       []byte `json:"data"`
	}
)

// CreateProfile makes a network known. One with the same SSID is changed instead: there is one of each.
func (c *Client) CreateProfile(ctx context.Context, n NewProfile) (p Profile, err error) {
	return p, c.ipc.Post(ctx, "/profiles", n, &p)
}

// ChangeProfile changes a known network. All fields are taken over, but for a nil Passphrase and an empty Name, SSID and Raw,
// which stay as they were.
func (c *Client) ChangeProfile(ctx context.Context, id string, n NewProfile) (p Profile, err error) {
	return p, c.ipc.Call(ctx, http.MethodPut, "/profiles/"+url.PathEscape(id), n, &p)
}

// DeleteProfile forgets a network.
func (c *Client) DeleteProfile(ctx context.Context, id string) error {
	return c.ipc.Call(ctx, http.MethodDelete, "/profiles/"+url.PathEscape(id), nil, nil)
}

// OrderProfiles sets the order of preference and returns the networks in it. Those that are not named come last, as they were.
func (c *Client) OrderProfiles(ctx context.Context, ids []string) (p []Profile, err error) {
	return p, c.ipc.Post(ctx, "/profiles/order", ids, &p)
}

// TryNetwork tries to join a network now. It returns at once; "attempt" events and [Client.Attempt] tell the outcome. The
// network becomes known when it let itself be joined, not before. A nil Passphrase is the one that is known, if any.
func (c *Client) TryNetwork(ctx context.Context, n NewProfile) (a Attempt, err error) {
	return a, c.ipc.Post(ctx, "/attempts", n, &a)
}

// Attempt returns how far an attempt has come. The error is media.ErrNotFound for one that is forgotten: it was long ago,
// or the network manager has restarted meanwhile.
func (c *Client) Attempt(ctx context.Context, id string) (a Attempt, err error) {
	return a, c.ipc.Get(ctx, "/attempts/"+url.PathEscape(id), &a)
}

// ChangeSettings changes what is not nil and returns all settings.
func (c *Client) ChangeSettings(ctx context.Context, change Settings) (s Settings, err error) {
	return s, c.ipc.Call(ctx, http.MethodPut, "/settings", change, &s)
}

// Export returns all known networks and settings, passwords too, encrypted with a passphrase.
func (c *Client) Export(ctx context.Context, passphrase string) ([]byte, error) {
	var e Exported
	err := c.ipc.Post(ctx, "/export", ExportRequest{passphrase}, &e)
	return e.Data, err
}

// Import takes in what [Client.Export] returned. Networks that it does not name stay known.
func (c *Client) Import(ctx context.Context, passphrase string, data []byte) (i Imported, err error) {
	return i, c.ipc.Post(ctx, "/import", ImportRequest{passphrase, data}, &i)
}

// Stream tells of [Streaming].
func (c *Client) Stream(ctx context.Context, s Streaming) error {
	return c.ipc.Post(ctx, "/streaming", s, nil)
}

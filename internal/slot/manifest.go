package slot

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// MaxManifest bounds the manifest that anyone will read, in bytes: thousands of files.
const MaxManifest = 1 << 20

// signatureContext separates these signatures from whatever else the same key signs.
const signatureContext = "manofwar slot manifest v1\x00"

// Manifest lists everything in a slot. Its JSON, as signed, is the manifest.json beside the files.
type Manifest struct {
	Board   string `json:"board"`   // the board the slot is for, such as "raspberrypi"
	Version string `json:"version"` // the release, for a person to read
	Epoch   int    `json:"epoch"`   // the security epoch: an update never installs a lower one
	Files   []File `json:"files"`   // sorted by path
}

// File is one file of a slot.
type File struct {
	Path   string `json:"path"` // slash-separated, below the slot's root
	Size   int64  `json:"size"` // in bytes
	SHA256 Digest `json:"sha256"`
}

// Digest is a SHA-256 sum, written in hexadecimal.
type Digest [sha256.Size]byte

// MarshalText implements [encoding.TextMarshaler].
func (d Digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("digest of %d characters, want %d", len(text), hex.EncodedLen(len(d)))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// VerifyError says which file of a slot is not what its manifest promises.
type VerifyError struct {
	File   string // its path in the slot
	Reason string // for a person, such as "content differs from the signed hash"
	Err    error  // the cause, where there is one
}

func (e *VerifyError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.File, e.Reason, e.Err)
	}
	return e.File + ": " + e.Reason
}

func (e *VerifyError) Unwrap() error { return e.Err }

// DigestOf hashes what r yields and returns how long it was.
func DigestOf(r io.Reader) (Digest, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return Digest(h.Sum(nil)), n, err
}

// Sign returns m's canonical JSON and the signature file that belongs to it: base64 and a newline.
func Sign(m Manifest, key ed25519.PrivateKey) (manifest, signature []byte, err error) {
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if err := m.check(); err != nil {
		return nil, nil, err
	}
	manifest, err = json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, nil, err
	}
	manifest = append(manifest, '\n')
	sig := ed25519.Sign(key, append([]byte(signatureContext), manifest...))
	return manifest, append([]byte(base64.StdEncoding.EncodeToString(sig)), '\n'), nil
}

// Open checks the signature against every key and returns the manifest and the key that signed it. Its error is a
// [*VerifyError] that names the manifest or its signature.
func Open(manifest, signature []byte, keys []ed25519.PublicKey) (Manifest, ed25519.PublicKey, error) {
	sig, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(signature)))
	if err != nil || len(sig) != ed25519.SignatureSize {
		return Manifest{}, nil, &VerifyError{File: SignatureName, Reason: "is not a signature", Err: err}
	}
	signed := append([]byte(signatureContext), manifest...)
	i := slices.IndexFunc(keys, func(k ed25519.PublicKey) bool { return ed25519.Verify(k, signed, sig) })
	if i < 0 {
		return Manifest{}, nil, &VerifyError{File: ManifestName, Reason: "is not signed by a key that this image trusts"}
	}
	var m Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return Manifest{}, nil, &VerifyError{File: ManifestName, Reason: "is malformed", Err: err}
	}
	if err := m.check(); err != nil {
		return Manifest{}, nil, &VerifyError{File: ManifestName, Reason: "is malformed", Err: err}
	}
	return m, keys[i], nil
}

// check holds the rules that the signer's JSON could break: paths that leave the slot, and duplicates.
func (m Manifest) check() error {
	for i, f := range m.Files {
		switch {
		case !fs.ValidPath(f.Path) || f.Path == "." || strings.Contains(f.Path, `\`):
			return fmt.Errorf("path %q is not one below the slot's root", f.Path)
		case f.Path == ManifestName || f.Path == SignatureName:
			return fmt.Errorf("path %q is the manifest's own", f.Path)
		case i > 0 && m.Files[i-1].Path >= f.Path:
			return fmt.Errorf("path %q is out of order or listed twice", f.Path)
		case f.Size < 0:
			return fmt.Errorf("path %q has a negative size", f.Path)
		}
	}
	return nil
}

// File returns the entry of the named file.
func (m Manifest) File(path string) (File, bool) {
	i, ok := slices.BinarySearchFunc(m.Files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if !ok {
		return File{}, false
	}
	return m.Files[i], true
}

// readBounded reads a small file of the slot, refusing one that is larger than anything this package writes.
func readBounded(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, &VerifyError{File: name, Reason: "cannot be opened", Err: cause(err)}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxManifest+1))
	if err != nil {
		return nil, &VerifyError{File: name, Reason: "cannot be read", Err: cause(err)}
	}
	if len(data) > MaxManifest {
		return nil, &VerifyError{File: name, Reason: fmt.Sprintf("is larger than %d bytes", MaxManifest)}
	}
	return data, nil
}

// cause strips the path that the VerifyError already names.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

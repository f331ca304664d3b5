package slot

import (
	"crypto/ed25519"
	"io/fs"
	"runtime"
	"sync"
)

// Verify checks a whole slot: the signature, then every listed file's size and hash. Files that the manifest does not
// list are not errors, because the firmware leaves some behind, but nothing may use them. The error is a [*VerifyError]
// for the first bad file in the manifest's order, so that the same damage always gives the same message.
func Verify(slot fs.FS, keys []ed25519.PublicKey) (Manifest, ed25519.PublicKey, error) {
	manifest, err := readBounded(slot, ManifestName)
	if err != nil {
		return Manifest{}, nil, err
	}
	signature, err := readBounded(slot, SignatureName)
	if err != nil {
		return Manifest{}, nil, err
	}
	m, key, err := Open(manifest, signature, keys)
	if err != nil {
		return Manifest{}, nil, err
	}
	if err := verifyFiles(slot, m.Files); err != nil {
		return Manifest{}, nil, err
	}
	return m, key, nil
}

// verifyFiles hashes on all cores: the hashes are most of what stage 1 does.
func verifyFiles(slot fs.FS, files []File) error {
	errs := make([]error, len(files))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.NumCPU(), len(files)) {
		wg.Go(func() {
			for i := range next {
				errs[i] = files[i].verify(slot)
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// verify reads one file, never more than its promised size.
func (f File) verify(slot fs.FS) error {
	r, err := slot.Open(f.Path)
	if err != nil {
		return &VerifyError{File: f.Path, Reason: "cannot be opened", Err: cause(err)}
	}
	defer r.Close()
	info, err := r.Stat()
	switch {
	case err != nil:
		return &VerifyError{File: f.Path, Reason: "cannot be read", Err: cause(err)}
	case !info.Mode().IsRegular() || info.Size() != f.Size:
		return &VerifyError{File: f.Path, Reason: "has another size than the signed one"}
	}
	sum, n, err := DigestOf(r)
	switch {
	case err != nil:
		return &VerifyError{File: f.Path, Reason: "cannot be read", Err: cause(err)}
	case n != f.Size || sum != f.SHA256:
		return &VerifyError{File: f.Path, Reason: "content differs from the signed hash"}
	}
	return nil
}

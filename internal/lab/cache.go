package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// CacheDir returns where slow results are kept between runs, outside the tree: $MANOFWAR_CACHE, else manofwar in the
// user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv("MANOFWAR_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: set MANOFWAR_CACHE", err)
	}
	return filepath.Join(dir, "manofwar"), nil
}

// Cached returns the directory that build fills, built once for each recipe: a text that says everything that shapes
// the result. A build that fails or is interrupted leaves nothing behind.
func Cached(name, recipe string, build func(dir string) error) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(recipe))
	dir := filepath.Join(cache, name+"-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(cache, name+"-*.partial")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	if err := build(temp); err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(temp, dir); err != nil {
		if _, err := os.Stat(dir); err == nil { // another process was quicker
			return dir, nil
		}
		return "", err
	}
	return dir, nil
}

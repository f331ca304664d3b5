package rootfs_test

import (
	"os"
	"testing"

	"manofwar/internal/mounttest"
)

func TestMain(m *testing.M) { os.Exit(mounttest.Run(m)) }

package portal

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"rsc.io/qr"
)

// quiet is the border around a QR code, in modules (ISO/IEC 18004, section 5.3.8).
const quiet = 4

// qrSVG draws text as a QR code, dark on light whatever the page's theme: scanners expect that. One unit is one module.
func qrSVG(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	var b bytes.Buffer
	size := code.Size + 2*quiet
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %[1]d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="`, size)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

// writeQR answers with text as a QR code. It may be a secret: nothing keeps it.
func writeQR(w http.ResponseWriter, r *http.Request, text string) error {
	picture, err := qrSVG(text)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Content-Length", strconv.Itoa(len(picture)))
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodHead {
		_, _ = w.Write(picture) // the client has left if this fails
	}
	return nil
}

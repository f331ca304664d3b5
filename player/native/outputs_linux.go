package native

import (
	"log/slog"

	"manofwar/internal/service"
	"manofwar/player"
	"manofwar/player/alsa"
	"manofwar/player/api"
	"manofwar/player/cec"
	"manofwar/player/decode"
	"manofwar/player/kms"
	"manofwar/player/null"
	"manofwar/player/v4l2"
)

// open opens the outputs. Neither a screen nor a card has to be there: both may come later.
func (o Options) open(log *slog.Logger) (outputs, error) {
	out := outputs{decoder: &decode.Decoder{}}
	if o.Outputs == Silent {
		mode := o.Mode
		if mode == (player.Mode{}) {
			mode = silentMode
		}
		out.sound = null.NewSound(null.SoundOptions{})
		out.display = null.NewDisplay(null.DisplayOptions{Screen: player.Screen{
			Connector: "none", Mode: mode, Modes: []player.Mode{mode}, Formats: []player.Format{player.YUV420}, Scales: true, VBlank: true,
		}})
		return out, nil
	}
	sound, err := alsa.Open()
	if err != nil {
		return out, err
	}
	out.sound = sound
	if o.Outputs == SoundOnly {
		out.display = null.NewDisplay(null.DisplayOptions{Unplugged: true})
	} else {
		display := kms.Open(kms.Options{Log: log})
		hardware := v4l2.New(v4l2.Options{Display: display, Dirs: []string{service.HandedDir(api.Name), "/dev"}, Log: log})
		out.display, out.decoder = display, &decode.Decoder{
			Hardware: func(r player.Request) (decode.Hardware, error) { return hardware.Open(r) },
		}
		if remote, err := cec.Open(osdName, service.HandedDir(api.Name), log); err != nil {
			log.Warn("the television's remote control is out of reach", "err", err)
		} else {
			out.tv, out.hangUp = remote, remote.Close
		}
	}
	return out, nil
}

// osdName is what televisions call us in their list of inputs.
const osdName = "manofwar"

// silentMode is small: nobody looks.
var silentMode = player.Mode{Width: 640, Height: 360, Refresh: 60, Preferred: true}

#!/usr/bin/env bash
# ffmpeg.sh ARCH [VARIANT]: the static codec engine, ffmpeg and ffprobe in one program.
#
# Prints the directory with ffmpeg, the link ffprobe, copyright/NAME for each source it is made of, and
# the list "sources". ARCH is arm64 or amd64. VARIANT is gpl (the default; GPL-2+ because of x264) or
# lgpl (without x264: H.264 only by the kernel's encoder, where there is one).
# The first call takes six to nine minutes of CPU time; later ones only look at the cache.
#
# What is enabled is what the product meets: everything an owner's files may contain is read, and what
# TVs, browsers and phone apps take is written. There is no TLS: Go fetches and hands bytes over.
# shellcheck disable=SC2086 # lists of names and flags are meant to be split
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$here/apt.sh"

arch=${1:-} variant=${2:-gpl}
task="ffmpeg $arch"
case $variant in
gpl) sources=(ffmpeg x264 lame opus dav1d libwebp zimg zlib) ;;
lgpl) sources=(ffmpeg lame opus dav1d libwebp zimg zlib) ;;
*) die "unknown variant \"$variant\"; want gpl or lgpl" ;;
esac
[[ $arch = arm64 || $arch = amd64 ]] || die "usage: ffmpeg.sh arm64|amd64 [gpl|lgpl]"

result=$cache/ffmpeg/$arch-$variant-$(key "${BASH_SOURCE[0]}" "${sources[@]}")
[ ! -x "$result/ffmpeg" ] || { echo "$result"; exit; }
lock "$result.lock"
[ ! -x "$result/ffmpeg" ] || { echo "$result"; exit; }

# --- What is in it. Lists of words; comma-joined for configure. ---

video_decoders="
    h264 hevc libdav1d av1 vp8 vp9 vc1 vc1image wmv1 wmv2 wmv3 wmv3image mpeg1video mpeg2video mpegvideo mpeg4
    msmpeg4v1 msmpeg4v2 msmpeg4v3 mss2 h261 h263 h263i h263p flv flashsv flashsv2 theora vp3 vp4 vp5 vp6 vp6a vp6f vp7
    rv10 rv20 rv30 rv40 svq1 svq3 cinepak indeo2 indeo3 indeo4 indeo5 msvideo1 msrle qtrle rpza smc eightbps 
    mjpeg mjpegb mszh zlib huffyuv ffvhuff ffv1 utvideo lagarith magicyuv dvvideo prores dnxhd cfhd cavs dirac
    rawvideo wrapped_avframe v210 yuv4 tscc zmbv cscd fraps mss1 asv1 asv2 vcr1 aasc cdgraphics
    h264_v4l2m2m hevc_v4l2m2m vp8_v4l2m2m vp9_v4l2m2m mpeg1_v4l2m2m mpeg2_v4l2m2m mpeg4_v4l2m2m h263_v4l2m2m vc1_v4l2m2m"
image_decoders="png apng webp gif bmp tiff jpeg2000 targa pcx pbm pgm ppm qoi"
audio_decoders="
    aac aac_latm ac3 eac3 dca truehd mlp mp1 mp1float mp2 mp2float mp3 mp3float mp3adufloat mp3on4float flac vorbis opus
    alac als ape wavpack tta tak shorten mpc7 mpc8 ralf wmav1 wmav2 wmapro wmalossless wmavoice xma2
    atrac1 atrac3 atrac3al atrac3p atrac3pal atrac9 cook sipr ra_144 ra_288 qdm2 qdmc qcelp mace3 mace6 nellymoser speex
    amrnb amrwb gsm gsm_ms ilbc twinvq g723_1 g729 s302m dvaudio imc iac truespeech on2avc dsd_lsbf dsd_msbf dsd_lsbf_planar dsd_msbf_planar dst
    pcm_* adpcm_adx adpcm_ct adpcm_g722 adpcm_g726 adpcm_ima_dk3 adpcm_ima_dk4 adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf adpcm_yamaha"
subtitle_decoders="
    ass ssa srt subrip webvtt movtext text dvdsub dvbsub pgssub xsub ccaption
    microdvd mpl2 jacosub sami realtext stl subviewer subviewer1 pjs vplayer"
encoders="
    aac libmp3lame libopus flac alac ac3 eac3 mp2 pcm_s16le pcm_s16be pcm_s24le pcm_s32le pcm_f32le pcm_u8
    h264_v4l2m2m mpeg2video mpeg4 rawvideo wrapped_avframe mjpeg png libwebp libwebp_anim gif bmp
    ass ssa srt subrip webvtt movtext text dvdsub dvbsub"
demuxers="
    mov matroska webm_dash_manifest avi asf mpegps mpegts mpegtsraw mpegvideo ogg flv live_flv rm ivr nut nsv mxf dv wtv
    pva ivf obu av1 cdg h264 hevc h261 h263 m4v mjpeg vc1 vc1t cavsvideo dirac rawvideo yuv4mpegpipe gif apng swf
    mp3 aac ac3 eac3 dts dtshd truehd mlp flac wav w64 aiff caf au ape wv tta tak shorten mpc mpc8 dsf iff oma amr amrnb amrwb
    qcp voc gsm ircam spdif loas xwma pcm_*
    srt ass webvtt vobsub sup microdvd mpl2 mpsub jacosub sami realtext stl subviewer subviewer1 pjs vplayer lrc scc dvbsub
    image2 image2pipe image_png_pipe image_jpeg_pipe image_webp_pipe image_gif_pipe image_bmp_pipe image_tiff_pipe
    image_j2k_pipe image_qoi_pipe concat hls ffmetadata data"
muxers="
    nut mp4 mov ipod ismv matroska webm mpegts mpeg2vob mpeg2dvd mpeg1system mpeg2video avi asf flv hls segment stream_segment dash
    adts latm mp2 mp3 flac ogg oga opus wav w64 aiff caf ac3 eac3 dts truehd spdif pcm_* h264 hevc m4v obu ivf mjpeg rawvideo
    yuv4mpegpipe image2 image2pipe gif apng webp webvtt srt ass sup ffmetadata data tee null
    framecrc framemd5 framehash crc hash md5 streamhash"
protocols="file pipe fd http httpproxy tcp unix concat concatf crypto data subfile hls cache async"
video_filters="
    scale zscale tonemap colorspace lut lut3d lutyuv lutrgb format fps framestep framerate yadif bwdif
    fieldmatch fieldorder decimate detelecine telecine separatefields weave idet setfield
    overlay crop pad transpose hflip vflip rotate split null copy trim setpts settb setsar setdar setparams setrange select segment
    thumbnail tile hstack vstack xstack alphamerge alphaextract premultiply fade xfade tpad loop concat interleave
    blackdetect scdet freezedetect signalstats metadata sidedata showinfo realtime sendcmd movie
    hwdownload hwupload deband unsharp gblur drawbox zoompan colorchannelmixer curves hue negate blend
    palettegen paletteuse ssim psnr nullsink bench
    color testsrc testsrc2 smptebars smptehdbars rgbtestsrc yuvtestsrc nullsrc gradients mandelbrot life cellauto"
audio_filters="
    aresample aformat volume volumedetect loudnorm ebur128 replaygain dynaudnorm speechnorm compand acompressor alimiter astats
    afade acrossfade atempo asetrate atrim asetpts asettb asetnsamples aselect asegment apad adelay aloop asplit anull anullsink acopy
    amix amerge join pan channelmap channelsplit amovie aecho afftdn anequalizer superequalizer equalizer bass treble highpass lowpass biquad
    crossfeed stereotools extrastereo dialoguenhance earwax silencedetect silenceremove ametadata asidedata ashowinfo asendcmd
    arealtime astreamselect showwavespic showspectrumpic showwaves
    sine anullsrc aevalsrc anoisesrc avsynctest"
# These are GPL in ffmpeg itself.
gpl_filters="eq hqdn3d cropdetect boxblur pullup mpdecimate tinterlace repeatfields delogo stereo3d signature"

# --- The libraries, each installed into $prefix. ---

autotools() { ./configure --host="$triple" --prefix="$prefix" --enable-static --disable-shared "$@"; }

build_x264() {
    ./configure --host="$triple" --cross-prefix="$triple-" --prefix="$prefix" --enable-static --enable-pic \
        --disable-cli --disable-opencl --bit-depth=8 --chroma-format=420 --disable-interlaced \
        --disable-avs --disable-swscale --disable-lavf --disable-ffms --disable-gpac --disable-lsmash --extra-cflags="$cflags"
    make -j"$jobs"
    make install
}

build_lame() {
    autotools --disable-frontend --disable-decoder --disable-gtktest --disable-analyzer-hooks CC="$triple-gcc" CFLAGS="$cflags"
    make -j"$jobs"
    make install
}

build_opus() {
    autotools --disable-doc --disable-extra-programs CC="$triple-gcc" CFLAGS="$cflags"
    make -j"$jobs"
    make install
}

build_libwebp() {
    autotools --disable-png --disable-jpeg --disable-tiff --disable-gif --disable-gl --disable-sdl --disable-wic \
        --enable-libwebpmux --disable-libwebpdemux CC="$triple-gcc" CFLAGS="$cflags"
    make -j"$jobs" -C sharpyuv install
    make -j"$jobs" -C src install
}

build_zimg() {
    ./autogen.sh
    autotools CC="$triple-gcc" CXX="$triple-g++" CFLAGS="$cflags" CXXFLAGS="$cflags" STL_LIBS=-lstdc++
    make -j"$jobs"
    make install
}

build_zlib() {
    CHOST=$triple CFLAGS="$cflags" ./configure --static --prefix="$prefix"
    make -j"$jobs" libz.a
    make install
}

build_dav1d() {
    cat >cross.ini <<INI
[binaries]
c = '$triple-gcc'
ar = '$triple-ar'
strip = '$triple-strip'
nasm = 'nasm'
pkg-config = 'pkg-config'
[host_machine]
system = 'linux'
cpu_family = '$machine'
cpu = '$machine'
endian = 'little'
INI
    meson setup out . --cross-file cross.ini --prefix="$prefix" --libdir=lib --buildtype=release --default-library=static \
        -Db_staticpic=true -Denable_tools=false -Denable_tests=false -Denable_examples=false -Dc_args="${cflags//-O2 /}"
    ninja -j"$jobs" -C out install
}

# --- ffmpeg itself ---

list() { tr -s ' \n' ',' <<<"$*" | sed 's/^,//; s/,$//'; }

configure_ffmpeg() {
    local licence=() extra_filters="" extra_encoders=""
    if [ "$variant" = gpl ]; then
        licence=(--enable-gpl --enable-libx264)
        extra_filters=$gpl_filters extra_encoders=libx264
    fi
    # --enable-cross-compile also for the machine's own architecture: nothing is found out by running it.
    ./configure --prefix="$prefix" --enable-cross-compile --cross-prefix="$triple-" --arch="$machine" --target-os=linux \
        --pkg-config=pkg-config --pkg-config-flags=--static --enable-pic \
        --extra-cflags="$cflags -I$prefix/include" --extra-ldflags="-L$prefix/lib" --extra-ldexeflags="$ldflags" \
        --extra-libs="-lstdc++ -lm -lpthread" \
        --disable-everything --disable-autodetect --disable-doc --disable-debug --disable-ffplay --disable-shared --enable-static \
        "${licence[@]}" \
        --enable-zlib --enable-libdav1d --enable-libopus --enable-libmp3lame --enable-libwebp --enable-libzimg \
        --enable-v4l2-m2m --enable-pthreads --enable-network \
        --enable-decoder="$(list $video_decoders $image_decoders $audio_decoders $subtitle_decoders)" \
        --enable-encoder="$(list $encoders $extra_encoders)" \
        --enable-demuxer="$(list $demuxers)" --enable-muxer="$(list $muxers)" --enable-protocol="$(list $protocols)" \
        --enable-filter="$(list $video_filters $audio_filters $extra_filters)" \
        --enable-indev=lavfi --enable-parser='*' --enable-bsf='*'
    # What it was configured with is long and names this directory; the recipe says it better.
    sed -i "s|^#define FFMPEG_CONFIGURATION .*|#define FFMPEG_CONFIGURATION \"manofwar ${result##*/}\"|; s|$work|/|" config.h
    local missing
    missing=$(comm -13 <(awk '$3 == 1 { print tolower($2) }' config_components.h | sort) <(wanted | sort))
    [ -z "$missing" ] || {
        echo "configure left out: $missing"
        return 1
    }
}

# wanted: what must have been enabled, in the words of config_components.h.
wanted() {
    kind() {
        local k=$1 n
        shift
        for n in "$@"; do [[ $n = *\** ]] || echo "config_${n}_$k"; done
    }
    set -f # the lists hold patterns for configure, not for files here
    kind decoder $video_decoders $image_decoders $audio_decoders $subtitle_decoders
    kind encoder $encoders
    kind demuxer $demuxers
    kind muxer $muxers
    kind protocol $protocols
    kind filter $video_filters $audio_filters
    [ "$variant" != gpl ] || { kind filter $gpl_filters; kind encoder libx264; }
}

# compile: make, with a line of progress now and then (fd 3 is what step keeps for that).
compile() {
    local total
    total=$(make -n ffmpeg ffprobe 2>/dev/null | grep -cE -- ' -c |nasm.* -o ') || total="?"
    make -j"$jobs" ffmpeg ffprobe 2>&1 | progress "$total" 2>&3
}

# link: both programs in one file that looks at its name, because they share nearly all of their code.
# ld -r joins the objects of each and objcopy hides all their symbols but main, which clash otherwise.
link() {
    mv fftools/ffprobe.o .
    "$triple-ld" -r -o probe.o ffprobe.o fftools/cmdutils.o fftools/opt_common.o
    "$triple-ld" -r -o mpeg.o fftools/*.o
    "$triple-objcopy" --redefine-sym main=ffprobe_main probe.o
    "$triple-objcopy" --redefine-sym main=ffmpeg_main mpeg.o
    "$triple-objcopy" --keep-global-symbol=ffprobe_main probe.o
    "$triple-objcopy" --keep-global-symbol=ffmpeg_main mpeg.o
    cat >main.c <<'C'
#include <string.h>

int ffmpeg_main(int argc, char **argv);
int ffprobe_main(int argc, char **argv);

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    return strncmp(name, "ffprobe", 7) ? ffmpeg_main(argc, argv) : ffprobe_main(argc, argv);
}
C
    "$triple-gcc" $cflags $ldflags -o "$out/ffmpeg" main.c mpeg.o probe.o \
        -Wl,--start-group lib*/lib*.a "$prefix"/lib/*.a -Wl,--end-group -lstdc++ -lm -lpthread
    "$triple-strip" "$out/ffmpeg"
    ln -s ffmpeg "$out/ffprobe"
}

# --- The build, from sources to the result ---

toolchain "$arch"
need nasm meson ninja-build pkgconf autoconf automake libtool
workdir
prefix=$work/prefix out=$work/out
mkdir -p "$prefix" "$out/copyright"
export PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig PKG_CONFIG_PATH=
# Nothing of the build's moment or place goes into the programs.
export SOURCE_DATE_EPOCH=0 CCACHE_DISABLE=1
cflags+=" -ffile-prefix-map=$work=."

for name in "${sources[@]}"; do
    deb_unpack "$name" "$work/$name"
    cp "$work/$name/debian/copyright" "$out/copyright/$name"
    cat "$(deb_source "$name")/version" >>"$out/sources"
done
cp "/usr/share/doc/libc6-dev/copyright" "$out/copyright/glibc"
for name in "${sources[@]}"; do
    [ "$name" != ffmpeg ] || continue
    cd "$work/$name"
    step "$name" "build_$name"
done
cd "$work/ffmpeg"
step "ffmpeg-configure" configure_ffmpeg
step "ffmpeg-compile" compile
step "ffmpeg-link" link
cd /
place "$out" "$result"
say "done: $(stat -c %s "$result/ffmpeg") bytes"
echo "$result"

/** What those may do who come without a password. */
export const sharing = {
  'sharing.title': 'Sharing',
  'sharing.text': 'Let apps and televisions in your home play here and see your libraries',
  'sharing.open':
    'None of these know a password: whoever is in your network can use what you turn on here. They see only the libraries that you choose, and can change or delete none of your files.',
  'sharing.name': 'This device appears there as “{name}”.',
  'sharing.name.change': 'Change the name under Network',
  'sharing.renderer': 'Play on this TV',
  'sharing.renderer.text':
    'Apps such as BubbleUPnP and Home Assistant send music and films to the TV, and can pause what plays there. Nothing of your libraries is shown.',
  'sharing.server': 'Browse from other TVs',
  'sharing.server.text': 'Televisions, consoles and players find your music and films and play them themselves.',
  'sharing.mpd': 'Music from MPD apps',
  'sharing.mpd.text': 'M.A.L.P., ncmpcpp, mpc and their like browse your music and play it here. Port 6600.',
  'sharing.by.renderer': 'As a UPnP renderer (DLNA)',
  'sharing.by.server': 'As a UPnP media server (DLNA)',
  'sharing.by.mpd': 'As a Music Player Daemon (MPD)',
  'sharing.libraries': 'Libraries that are shared',
  'sharing.none': 'Nothing is shared yet: choose a library.',
  'sharing.all': 'Share all',
  'sharing.tvOnly': 'What another device sends plays on the TV only. It goes on there.',
  'sharing.away': 'Not connected',
  'notice.guest-port-taken': 'Port {subject} is taken: another program uses it.',
  'notice.guest-port-taken.hint':
    'End that program, such as another music or media server. This is tried again by itself.',
  'notice.guest-no-port': 'No port was given for MPD.',
  'notice.guest-no-port.hint': 'Start manofwar with one, which lets the network in: manofwar serve --mpd :6600',
  'notice.guest-trouble': 'This does not work right now.',
  'notice.guest-trouble.hint': 'It is tried again by itself.',
}

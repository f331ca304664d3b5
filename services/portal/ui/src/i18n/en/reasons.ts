/** netmgr's reasons: its words are the keys, {x} a name in them. */
export const reasons = {
  'reason.its security settings are unreadable': 'Its security settings are unreadable.',
  'reason.it uses WPA1, which is broken; set the router to WPA2':
    'It uses WPA1, which is broken; set the router to WPA2.',
  'reason.it uses WEP, which is broken; set the router to WPA2':
    'It uses WEP, which is broken; set the router to WPA2.',
  "reason.it protects management frames in a way this device does not know; set the router's to optional":
    "It protects management frames in a way this device does not know; set the router's to optional.",
  'reason.it encrypts without AES-CCMP; set the router to WPA2 (AES)':
    'It encrypts without AES-CCMP; set the router to WPA2 (AES).',
  'reason.it encrypts broadcasts by neither AES-CCMP nor TKIP; set the router to WPA2 (AES)':
    'It encrypts broadcasts by neither AES-CCMP nor TKIP; set the router to WPA2 (AES).',
  'reason.it wants a user account (WPA-Enterprise), not a password':
    'It wants a user account (WPA-Enterprise), not a password.',
  'reason.it uses Enhanced Open (OWE)': 'It uses Enhanced Open (OWE).',
  'reason.it allows fast transition only; allow WPA2 without 802.11r on the router':
    'It allows fast transition only; allow WPA2 without 802.11r on the router.',
  'reason.it allows only the newest form of WPA3; allow WPA3 (SAE) on the router':
    'It allows only the newest form of WPA3; allow WPA3 (SAE) on the router.',
  'reason.it authenticates in an unknown way': 'It authenticates in an unknown way.',
  'reason.Wrong password for {x}.': 'Wrong password for {x}.',
  'reason.Its password is not known any more. Enter it again.': 'Its password is not known any more. Enter it again.',
  'reason.{x} was not found.': '{x} was not found.',
  'reason.{x} is not in reach.': '{x} is not in reach.',
  'reason.{x} are not in reach.': '{x} are not in reach.',
  'reason.None of the {x} known networks is in reach.': 'None of the {x} known networks is in reach.',
  'reason.Joining {x}.': 'Joining {x}.',
  'reason.No WiFi is set up.': 'No WiFi is set up.',
  'reason.The password is right, but {x} gives this device no address.':
    'The password is right, but {x} gives this device no address.',
  'reason.The WiFi radio could not join {x}.': 'The WiFi radio could not join {x}.',
  'reason.The WiFi radio was taken away.': 'The WiFi radio was taken away.',
  'reason.The WiFi radio is switched off.': 'The WiFi radio is switched off.',
  'reason.The WiFi radio does not do what it is told.': 'The WiFi radio does not do what it is told.',
  'reason.This device has no WiFi radio.': 'This device has no WiFi radio.',
  'reason.Another network was chosen meanwhile.': 'Another network was chosen meanwhile.',
  'reason.This WiFi radio cannot be used. Use a network cable, or another WiFi stick.':
    'This WiFi radio cannot be used. Use a network cable, or another WiFi stick.',
  'reason.No cable is plugged in, or the other end is off.': 'No cable is plugged in, or the other end is off.',
  'reason.It is not connected.': 'It is not connected.',
  'reason.Waiting for an address.': 'Waiting for an address.',
  'reason.No router answers on this cable.': 'No router answers on this cable.',
  'reason.No router answers on this network.': 'No router answers on this network.',
  'reason.No router answers. Only what is in the same network reaches this device.':
    'No router answers. Only what is in the same network reaches this device.',
  'reason.No router answers. Only what is on the same cable or switch reaches this device.':
    'No router answers. Only what is on the same cable or switch reaches this device.',
  'reason.The network has no router to the internet.': 'The network has no router to the internet.',
  'reason.The router does not answer.': 'The router does not answer.',
  'reason.The network names no name server, so no address on the internet can be found.':
    'The network names no name server, so no address on the internet can be found.',
  'reason.The internet is there, but the name server of this network does not answer.':
    'The internet is there, but the name server of this network does not answer.',
  'reason.The router answers, its name server does not.': 'The router answers, its name server does not.',
  'reason.The router answers, the internet behind it does not.': 'The router answers, the internet behind it does not.',
  'reason.Connections to the internet open, but nothing comes back over them.':
    'Connections to the internet open, but nothing comes back over them.',
  'reason.The internet behind the router reports errors only.': 'The internet behind the router reports errors only.',
  'reason.The router has no internet and answers in its place.': 'The router has no internet and answers in its place.',
  'reason.What comes from the internet is altered or blocked.': 'What comes from the internet is altered or blocked.',
  'reason.This network wants you to sign in first.': 'This network wants you to sign in first.',
  'reason.The WiFi radio could not make it. It is tried again.': 'The WiFi radio could not make it. It is tried again.',
  'reason.No WiFi radio of this device can make a network of its own.':
    'No WiFi radio of this device can make a network of its own.',
  'reason.This WiFi radio cannot be in a network and make one of its own at the same time.':
    'This WiFi radio cannot be in a network and make one of its own at the same time.',
  'reason.A network of its own is not allowed on the channel of {x}.':
    'A network of its own is not allowed on the channel of {x}.',
}

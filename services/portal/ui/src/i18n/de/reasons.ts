import type { Same } from '../index.svelte'
import type { reasons as english } from '../en/reasons'

/** Gründe von netmgr: seine Worte sind die Schlüssel, {x} ein Name darin. */
export const reasons: Same<typeof english> = {
  'reason.its security settings are unreadable': 'Seine Sicherheitseinstellungen sind nicht lesbar.',
  'reason.it uses WPA1, which is broken; set the router to WPA2':
    'Es benutzt WPA1, das gebrochen ist. Stell den Router auf WPA2.',
  'reason.it uses WEP, which is broken; set the router to WPA2':
    'Es benutzt WEP, das gebrochen ist. Stell den Router auf WPA2.',
  "reason.it protects management frames in a way this device does not know; set the router's to optional":
    'Es schützt Verwaltungsrahmen (PMF) auf unbekannte Art. Stell das am Router auf optional.',
  'reason.it encrypts without AES-CCMP; set the router to WPA2 (AES)':
    'Es verschlüsselt ohne AES. Stell den Router auf WPA2 (AES).',
  'reason.it encrypts broadcasts by neither AES-CCMP nor TKIP; set the router to WPA2 (AES)':
    'Es verschlüsselt Rundsendungen auf unbekannte Art. Stell den Router auf WPA2 (AES).',
  'reason.it wants a user account (WPA-Enterprise), not a password':
    'Es verlangt ein Benutzerkonto (WPA-Enterprise) statt eines Passworts.',
  'reason.it uses Enhanced Open (OWE)': 'Es benutzt Enhanced Open (OWE).',
  'reason.it allows fast transition only; allow WPA2 without 802.11r on the router':
    'Es erlaubt nur schnellen Wechsel. Erlaube am Router WPA2 ohne 802.11r.',
  'reason.it allows only the newest form of WPA3; allow WPA3 (SAE) on the router':
    'Es erlaubt nur die neueste Art von WPA3. Erlaube am Router WPA3 (SAE).',
  'reason.it authenticates in an unknown way': 'Es meldet auf unbekannte Art an.',
  'reason.Wrong password for {x}.': 'Falsches Passwort für {x}.',
  'reason.Its password is not known any more. Enter it again.': 'Das Passwort ist nicht mehr bekannt. Gib es neu ein.',
  'reason.{x} was not found.': '{x} wurde nicht gefunden.',
  'reason.{x} is not in reach.': '{x} ist nicht in Reichweite.',
  'reason.{x} are not in reach.': '{x} sind nicht in Reichweite.',
  'reason.None of the {x} known networks is in reach.': 'Keines der {x} bekannten Netze ist in Reichweite.',
  'reason.Joining {x}.': 'Die Verbindung mit {x} entsteht.',
  'reason.No WiFi is set up.': 'Es ist kein WLAN eingerichtet.',
  'reason.The password is right, but {x} gives this device no address.':
    'Das Passwort stimmt, aber {x} gibt dem Gerät keine Adresse.',
  'reason.The WiFi radio could not join {x}.': 'Das Funkgerät konnte {x} nicht beitreten.',
  'reason.The WiFi radio was taken away.': 'Das Funkgerät wurde abgezogen.',
  'reason.The WiFi radio is switched off.': 'Das Funkgerät ist ausgeschaltet.',
  'reason.The WiFi radio does not do what it is told.': 'Das Funkgerät tut nicht, was es soll.',
  'reason.This device has no WiFi radio.': 'Dieses Gerät hat kein WLAN.',
  'reason.Another network was chosen meanwhile.': 'Inzwischen wurde ein anderes Netz gewählt.',
  'reason.This WiFi radio cannot be used. Use a network cable, or another WiFi stick.':
    'Dieses Funkgerät lässt sich nicht benutzen. Nimm ein Netzwerkkabel oder einen anderen WLAN-Stick.',
  'reason.No cable is plugged in, or the other end is off.': 'Es steckt kein Kabel, oder das andere Ende ist aus.',
  'reason.It is not connected.': 'Nicht verbunden.',
  'reason.Waiting for an address.': 'Wartet auf eine Adresse.',
  'reason.No router answers on this cable.': 'An diesem Kabel antwortet kein Router.',
  'reason.No router answers on this network.': 'In diesem Netz antwortet kein Router.',
  'reason.No router answers. Only what is in the same network reaches this device.':
    'Kein Router antwortet. Nur was im selben Netz ist, erreicht dieses Gerät.',
  'reason.No router answers. Only what is on the same cable or switch reaches this device.':
    'Kein Router antwortet. Nur was am selben Kabel oder Switch hängt, erreicht dieses Gerät.',
  'reason.The network has no router to the internet.': 'Das Netz hat keinen Router ins Internet.',
  'reason.The router does not answer.': 'Der Router antwortet nicht.',
  'reason.The network names no name server, so no address on the internet can be found.':
    'Das Netz nennt keinen Nameserver, deshalb ist im Internet nichts zu finden.',
  'reason.The internet is there, but the name server of this network does not answer.':
    'Das Internet ist da, aber der Nameserver dieses Netzes antwortet nicht.',
  'reason.The router answers, its name server does not.': 'Der Router antwortet, sein Nameserver nicht.',
  'reason.The router answers, the internet behind it does not.': 'Der Router antwortet, das Internet dahinter nicht.',
  'reason.Connections to the internet open, but nothing comes back over them.':
    'Verbindungen ins Internet gehen auf, aber nichts kommt zurück.',
  'reason.The internet behind the router reports errors only.': 'Das Internet hinter dem Router meldet nur Fehler.',
  'reason.The router has no internet and answers in its place.':
    'Der Router hat kein Internet und antwortet an dessen Stelle.',
  'reason.What comes from the internet is altered or blocked.':
    'Was aus dem Internet kommt, wird verändert oder gesperrt.',
  'reason.This network wants you to sign in first.': 'Dieses Netz verlangt erst eine Anmeldung.',
  'reason.The WiFi radio could not make it. It is tried again.':
    'Das Funkgerät konnte es nicht aufmachen. Es wird wieder versucht.',
  'reason.No WiFi radio of this device can make a network of its own.':
    'Kein Funkgerät dieses Geräts kann ein eigenes Netz aufmachen.',
  'reason.This WiFi radio cannot be in a network and make one of its own at the same time.':
    'Dieses Funkgerät kann nicht zugleich in einem Netz sein und ein eigenes aufmachen.',
  'reason.A network of its own is not allowed on the channel of {x}.':
    'Auf dem Kanal von {x} ist kein eigenes Netz erlaubt.',
}

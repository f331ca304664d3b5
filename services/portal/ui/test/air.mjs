/** The networks that the stand-in's device is in reach of, and what it does about them. A test changes them as it goes. */

const raw = (text) => Buffer.from(text).toString('base64')
const hours = (n) => new Date(Date.now() - n * 3_600_000).toISOString()

const around = (ssid, signal, more = {}) => ({
  ssid,
  raw: raw(ssid),
  signal,
  security: 'WPA2',
  bands: ['2.4 GHz'],
  join: true,
  seen: hours(0),
  ...more,
})

/** A household's networks: three known ones, of which one is in use, and the neighbours'. */
export function air() {
  return {
    passwords: { Nachbar: 'correct horse', Hidden: 'under the roof', 'Café am Eck': '' },
    networks: [
      around('Home', -52, { bands: ['2.4 GHz', '5 GHz'], profile: 'p1', security: 'WPA2/WPA3' }),
      around('Nachbar', -61, { bands: ['2.4 GHz', '5 GHz'] }),
      around('Café am Eck', -70, { security: 'open' }),
      around('The very long name of a WLAN 🛶', -79, { security: 'WPA3', bands: ['5 GHz'] }),
      around('Office', -66, {
        security: 'enterprise',
        join: false,
        reason: 'it wants a user account (WPA-Enterprise), not a password',
      }),
    ],
    profiles: [
      { id: 'p1', name: 'Home', ssid: 'Home', raw: raw('Home'), used_at: hours(1) },
      {
        id: 'p2',
        name: 'Router after a reset',
        ssid: 'FRITZ!Box 7590 XY',
        raw: raw('FRITZ!Box 7590 XY'),
        factory: true,
      },
      {
        id: 'p3',
        name: 'Phone',
        ssid: 'Mara’s iPhone',
        raw: raw('Mara’s iPhone'),
        metered: true,
        failure: 'Wrong password for Mara’s iPhone.',
        failed_at: hours(30),
      },
    ],
    settings: {
      country: '',
      access_point: { ssid: 'livingroom', passphrase: 'abcd efgh jkmn', open: false, permanent: false, off: false },
      judge: { off: false },
      done: true,
    },
    history: [
      { from: hours(24), state: 'good', link: 'wlan0', network: 'Home' },
      { from: hours(9), state: 'lan-only', link: 'wlan0', network: 'Home' },
      { from: hours(8.2), state: 'good', link: 'wlan0', network: 'Mara’s iPhone' },
      { from: hours(6), state: 'down', own: true },
      { from: hours(5.2), state: 'good', link: 'wlan0', network: 'Home' },
    ],
    attempts: new Map(),
    asked: [], // bodies: what was to be known, tried or set
    pace: 400, // ms that each step of an attempt takes
  }
}

/** What the status says of the network: in WiFi "Home", with an access point that waits. */
export const connected = (since) => ({
  hostname: 'livingroom',
  state: 'good',
  links: [
    {
      name: 'wlan0',
      kind: 'wifi',
      state: 'good',
      since,
      addresses: ['192.168.1.23/24'],
      gateway: '192.168.1.1',
      dns: ['192.168.1.1'],
      wifi: {
        ssid: 'Home',
        profile: 'p1',
        bssid: '02:00:00:00:01:00',
        channel: 36,
        mhz: 5180,
        signal: -52,
        security: 'WPA3',
      },
    },
  ],
  access_point: { up: false, ssid: 'livingroom', clients: 0 },
  country: 'DE',
  setup: false,
  metered: false,
})

/** Answers what is below /api/v1/network/. tell sends an event to the pages. */
export function answer(air, status, { method, path, body }, tell) {
  const at = `${method} ${path.split('/')[0]}`
  const id = path.split('/')[1]
  if (body) air.asked.push({ method, path, body })
  const named = (profile) => profile.ssid ?? Buffer.from(profile.raw, 'base64').toString()
  const known = (profile) => {
    const { passphrase, ...rest } = profile
    const ssid = named(profile)
    const made = {
      id: `p${air.profiles.length + 1}`,
      name: ssid,
      open: passphrase === '',
      ...rest,
      ssid,
      raw: raw(ssid),
    }
    air.profiles = [...air.profiles, made]
    for (const each of air.networks) if (each.ssid === ssid) each.profile = made.id
    return made
  }
  switch (at) {
    case 'GET networks':
    case 'POST scan':
      return { networks: air.networks, scanning: false, at: hours(0) }
    case 'GET profiles':
      return air.profiles
    case 'POST profiles':
      return known(body)
    case 'PUT profiles':
      air.profiles = air.profiles.map((each) => (each.id === id ? { ...each, ...body, passphrase: undefined } : each))
      return air.profiles.find((each) => each.id === id)
    case 'DELETE profiles':
      air.profiles = air.profiles.filter((each) => each.id !== id)
      return null
    case 'PUT order':
      air.profiles.sort((a, b) => body.indexOf(a.id) - body.indexOf(b.id))
      return air.profiles
    case 'POST attempts': {
      const attempt = { id: `t${air.attempts.size + 1}`, ssid: named(body), state: 'joining' }
      air.attempts.set(attempt.id, attempt)
      const word = air.passwords[attempt.ssid]
      const near = word !== undefined || air.networks.some((each) => each.ssid === attempt.ssid && each.profile)
      const right = body.passphrase === undefined || body.passphrase === word
      const steps = !near ? ['not-found'] : right ? ['addressing', 'connected'] : ['wrong-password']
      steps.forEach((state, i) =>
        setTimeout(
          () => {
            attempt.state = state
            if (state === 'connected' && body.passphrase !== undefined) known(body)
            tell('attempt', attempt)
          },
          air.pace * (i + 1),
        ),
      )
      return attempt
    }
    case 'GET attempts':
      return air.attempts.get(id)
    case 'GET settings':
      return air.settings
    case 'PUT settings':
      air.settings = { ...air.settings, ...body }
      if (body.name) {
        Object.assign(status.network, { name: body.name, hostname: body.name.toLowerCase().replaceAll(' ', '-') })
        tell('network', status.network)
      }
      return air.settings
    case 'GET history':
      return air.history
    case 'GET access-point':
      if (id === 'qr.svg') return picture
      return { ssid: status.network.access_point.ssid, passphrase: air.settings.access_point.passphrase }
    case 'POST export':
      return { data: raw('sealed with ' + body.passphrase) }
    case 'POST import':
      if (body.data === raw('sealed with ' + body.passphrase)) return { profiles: 2, settings: true }
      return { error: 400, code: 'invalid', message: 'the file could not be opened' }
  }
  return undefined
}

/** Not a code that a phone would read, but one that looks so. */
const modules = Array.from({ length: 29 * 29 }, (_, i) =>
  (i * 7919) % 31 < 14 ? `M${(i % 29) + 4} ${Math.floor(i / 29) + 4}h1v1h-1z` : '',
)
const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 37 37"><path fill="#fff" d="M0 0h37v37H0z"/><path d="${modules.join('')}"/></svg>`

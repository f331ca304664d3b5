/** Takes pictures of the screens, for the eye: "npm run shots -- FOLDER [pattern]". */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { launch, open } from './browser.mjs'
import { serve } from './server.mjs'

const [folder = 'shots', pattern = ''] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const server = await serve()
const browser = await launch()

const sizes = { phone: [390, 844, 2], small: [320, 640, 2], laptop: [1440, 900, 1], tv: [1920, 1080, 1] }
const screens = {
  home: '/',
  albums: '/music',
  songs: '/music/songs',
  album: '/album/a4',
  films: '/films',
  film: '/film/f0',
  search: '/search?q=ha',
  device: '/device',
  settings: '/settings',
  network: '/network',
  'network-out': '/network',
  'network-join': '/network',
  'network-known': '/network',
  'network-own': '/network',
  notices: '/device',
  empty: '/',
  lost: '/music',
  problem: '/film/f2/play',
  design: '/design',
  now: '/album/a4#now',
  picture: '/settings/picture',
  sharing: '/settings/sharing',
  'tv-bar': '/music',
  'tv-now': '/#now',
  'tv-film': '/#now',
  'tv-places': '/',
  cinema: '/film/f0/play',
  missing: '/nowhere',
}
for (const [size, [width, height, deviceScaleFactor]] of Object.entries(sizes)) {
  for (const theme of ['dark', 'light']) {
    for (const [name, path] of Object.entries(screens)) {
      const file = `${size}-${theme}-${name}.png`
      if (!new RegExp(pattern).test(file)) continue
      const { page, troubles, close } = await open(browser, server.url, { width, height, theme, deviceScaleFactor })
      const before = { ...server.state }
      if (name === 'empty')
        Object.assign(server.state, {
          library: { albums: [], items: [] },
          status: { ...before.status, library: { ...before.status.library, roots: [], music: 0, films: 0 } },
        })
      if (name === 'network-out') server.state.status = outOfReach(before.status)
      if (name === 'notices') server.state.status = troubled(before.status)
      if (name === 'problem')
        for (const each of ['hls/index.m3u8', 'file'])
          server.state.fail.set(`/media/f2/${each}`, {
            status: 422,
            code: 'unsupported',
            message: 'Salt (2015).wmv: its picture is WMV3',
            hint: 'Convert it to H.264 on a computer.',
          })
      if (name.startsWith('tv-')) {
        server.state.cast.play({ renderer: 'dlna-kitchen', items: ['s20-1'] })
        if (name === 'tv-film') server.state.cast.play({ renderer: 'tv', items: ['f0', 'f1'], position: 1820 })
        else
          server.state.cast.play({ renderer: 'tv', items: ['s4-1', 's4-2', 's10-1', 's12-1', 's14-2'], position: 73 })
        await page.addInitScript(() => localStorage.setItem('manofwar.settings', '{"place":"tv"}'))
      }
      const tv = size === 'tv' ? '?tv' : ''
      if (['now', 'album', 'home', 'songs'].includes(name)) {
        await page.goto(server.url + '/album/a4' + tv)
        await page.getByRole('button', { name: 'Play', exact: true }).first().click()
        await page.waitForFunction(() => document.querySelector('#audio').currentTime > 1)
        await page.evaluate(
          (to) => {
            const a = document.createElement('a')
            a.href = to
            document.body.append(a)
            a.click()
            a.remove()
          },
          name === 'now' ? '#now' : path,
        )
      } else {
        const [where, hash = ''] = path.split('#')
        await page.goto(server.url + where + (where.includes('?') ? '&' + tv.slice(1) : tv) + (hash && '#' + hash))
      }
      await page.waitForTimeout(900)
      if (name === 'network-join') await page.getByRole('button', { name: /Nachbar/ }).click()
      if (name === 'network-known') await page.getByRole('button', { name: /Phone.*iPhone/ }).click()
      if (name === 'network-own') {
        await page.getByRole('button', { name: 'Show QR code and password' }).click()
        await page.locator('.key').scrollIntoViewIfNeeded()
      }
      if (name === 'tv-places')
        await page
          .getByRole('button', { name: /^Play on/ })
          .locator('visible=true')
          .first()
          .click()
      if (/^(network|tv)-/.test(name)) await page.waitForTimeout(500)
      if (name === 'lost') {
        server.setDown(true)
        await page.waitForTimeout(4000)
      }
      await page.screenshot({ path: join(folder, file), fullPage: name === 'design' })
      server.setDown(false)
      for (const { id } of server.state.cast.state.sessions.values())
        server.state.cast.answer('DELETE', `sessions/${id}`)
      server.state.fail.clear()
      Object.assign(server.state, { library: before.library, status: before.status })
      if (troubles.length) console.log(file, troubles)
      await close()
    }
  }
}
await browser.close()

/** No known network in reach, and nobody has set it up. */
function outOfReach(status) {
  return {
    ...status,
    network: {
      ...status.network,
      state: 'down',
      setup: true,
      links: [],
      access_point: { up: true, ssid: 'livingroom', clients: 1, channel: 6, address: '10.42.0.1/24' },
    },
  }
}

/** A bad day. */
function troubled(status) {
  const since = new Date(Date.now() - 1_500_000).toISOString()
  const services = status.device.services.map((each) =>
    each.name === 'stream'
      ? { ...each, state: 'backoff', ready: false, healthy: false, restarts: 4, reason: 'exit status 2', memory: 0 }
      : each,
  )
  return {
    ...status,
    notices: [
      { code: 'data-full', level: 'warning', message: 'x', since },
      { code: 'service-failing', level: 'error', subject: 'Playing', message: 'x', detail: 'exit status 2', since },
      { code: 'disk-away', level: 'warning', subject: 'Old Stick', message: 'x', since },
    ],
    library: {
      ...status.library,
      roots: [
        ...status.library.roots,
        { id: 'old', name: 'Old Stick', path: '/media/old', disk: 'x', away: true, items: 812 },
      ],
      scan: {
        running: true,
        root: 'blue',
        found: 16_204,
        done: 4_210,
        started: new Date(Date.now() - 9000).toISOString(),
        left: 26,
      },
    },
    network: {
      ...status.network,
      links: [
        { ...status.network.links[0], state: 'lan-only', since, reason: 'The router answers, the internet does not.' },
      ],
    },
    device: {
      ...status.device,
      services,
      data: { state: 'full', reason: 'There is no space left on the card.', free: 0, total: 30_200_000_000 },
    },
  }
}
await server.close()

/** Accessibility of every screen, by axe, in both themes, on a phone, a laptop and a TV: WCAG 2.2 AA. Nothing may be wider than the screen. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { launch, open } from './browser.mjs'
import { serve } from './server.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const real = process.env.BASE_URL
const skip = real ? 'the screens are those of the stand-in' : false

const screens = {
  home: '/',
  albums: '/music',
  songs: '/music/songs',
  album: '/album/a4',
  'album with troubles': '/album/a0',
  'very long': '/album/a7',
  films: '/films',
  film: '/film/f0',
  'film with trouble': '/film/f6',
  cinema: '/film/f0/play',
  search: '/search?q=ha',
  'nothing found': '/search?q=zzzqqq',
  device: '/device',
  network: '/network',
  settings: '/settings',
  'picture and sound': '/settings/picture',
  sharing: '/settings/sharing',
  'other devices': '/settings/devices',
  design: '/design',
  missing: '/nowhere',
}

let [server, browser] = []
before(async () => {
  if (skip) return
  server = await serve()
  server.state.status.notices = [
    {
      code: 'disk-away',
      level: 'warning',
      subject: 'Old Stick',
      message: 'x',
      detail: 'usb 1-1',
      since: new Date().toISOString(),
    },
    { code: 'service-failing', level: 'error', subject: 'Playing', message: 'x', detail: 'exit status 2' },
  ]
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.close()
})

for (const width of [320, 1280, 1920]) {
  for (const theme of ['dark', 'light']) {
    test(`${width} px, ${theme}`, { skip }, async (context) => {
      const { page, troubles, close } = await open(browser, server.url, {
        width,
        height: width < 400 ? 640 : 900,
        theme,
        reducedMotion: 'reduce',
      })
      try {
        const check = async (name) => {
          await page.waitForTimeout(250)
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          assert.ok(overflow <= 0, `${name}: ${overflow} px wider than the window`)
          await page.evaluate(axe)
          const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), tags)
          const found = violations.flatMap(({ id, nodes }) =>
            nodes.map((node) => `${id}: ${node.target} ${node.any[0]?.message ?? node.failureSummary}`),
          )
          assert.deepEqual(found, [], name)
        }
        if (width === 1920) await page.goto(server.url + '/missing?tv') // which lasts for the tab
        for (const [name, path] of Object.entries(screens)) {
          await context.test(name, async () => {
            await page.goto(server.url + path, { waitUntil: 'load' })
            await page.locator('main h1, main h2, [role=dialog]').first().waitFor({ state: 'attached' })
            await check(name)
          })
        }
        for (const [name, button] of Object.entries({
          join: /Nachbar/,
          'known network': /Phone.*iPhone/,
          'own network': 'Change',
          'another network': 'Another network',
          'take from a file': 'Take from a file',
          'QR code': 'Show QR code and password',
        }))
          await context.test('network, ' + name, async () => {
            await page.goto(server.url + '/network')
            await page.getByRole('button', { name: button }).click()
            await page
              .locator(name === 'QR code' ? 'main img' : '[role=dialog], dialog[open]')
              .first()
              .waitFor()
            await check(name)
          })
        await context.test('now playing', async () => {
          await page.goto(server.url + '/album/a4')
          await page.getByRole('button', { name: 'Play', exact: true }).first().click()
          await page.getByRole('region', { name: 'Player' }).waitFor()
          await check('with the player')
          await page.getByRole('link', { name: /^Now playing: / }).click()
          await page.getByRole('dialog', { name: 'Now playing' }).waitFor()
          await check('now playing')
        })
        await context.test('the remote', async () => {
          const { cast } = server.state
          cast.play({ renderer: 'dlna-kitchen', items: ['s7-2'] })
          const { id } = cast.play({ renderer: 'tv', items: ['s7-2', 's4-1', 's0-5', 's4-3'] })
          const show = async (path) => {
            await page.goto(server.url + '/nowhere')
            await page.evaluate(() => localStorage.setItem('manofwar.settings', '{"place":"tv"}'))
            await page.goto(server.url + path)
          }
          await show('/film/f0#now')
          const now = page.getByRole('dialog', { name: 'Now playing' })
          await now
            .getByRole('button', { name: /^Move / })
            .nth(1)
            .click()
          await check('a queue that is edited')
          await now.getByRole('button', { name: /^Play on/ }).click()
          await page.getByRole('dialog', { name: 'Play on' }).waitFor()
          await check('places')
          await page.getByRole('checkbox', { name: 'Bathroom' }).check()
          await page.getByRole('slider', { name: 'Volume of Bathroom' }).waitFor()
          await check('rooms in step')
          await page.keyboard.press('Escape')
          await page.locator('dialog[open]').waitFor({ state: 'detached' })
          for (const name of ['Sleep timer', 'Speed', 'More']) {
            await now.getByRole('button', { name, exact: true }).click()
            await check(name)
            await page.keyboard.press('Escape')
            await page.locator('dialog[open]').waitFor({ state: 'detached' })
          }
          cast.play({ renderer: 'tv', items: ['f0', 'f7'], position: 1500 })
          cast.answer('POST', `sessions/${id}/change`, null, { sleep: 900, speed: 1.25 })
          await now.getByRole('heading', { name: 'The Lighthouse Keeper' }).waitFor()
          await check('a film on the TV')
          for (const name of ['Sound and subtitles', 'Chapters']) {
            await now.getByRole('button', { name }).click()
            await check(name)
            await page.keyboard.press('Escape')
            await page.locator('dialog[open]').waitFor({ state: 'detached' })
          }
          await show('/album/a4')
          await page.getByRole('button', { name: 'More for Slow tide' }).click()
          await check('what to do with a song')
          cast.answer('DELETE', `sessions/${id}`)
          await show('/music')
          await page.getByRole('region', { name: 'Player' }).waitFor()
          await check('a place at rest')
        })
        await context.test('no trouble', () => assert.deepEqual(troubles, []))
      } finally {
        await close()
      }
    })
  }
}

/** The page itself: language, theme, keys, a remote, right to left. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base, server, standIn, visit } from './harness.mjs'

test('speaks German to who speaks German, and changes on the spot', () =>
  visit(
    '/settings',
    async (page) => {
      await page.getByRole('heading', { level: 1, name: 'Einstellungen' }).waitFor()
      assert.equal(await page.getAttribute('html', 'lang'), 'de')
      await page.getByRole('radio', { name: 'English' }).check()
      await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
      await page.getByRole('radio', { name: 'Light' }).check()
      assert.equal(await page.getAttribute('html', 'data-theme'), 'light')
      await page.reload()
      await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
      assert.equal(await page.getAttribute('html', 'data-theme'), 'light')
    },
    { language: 'de-DE' },
  ))

test('German fits the narrowest phone', standIn, () =>
  visit(
    '/',
    async (page) => {
      for (const path of [
        '/',
        '/music',
        '/music/songs',
        '/album/a7',
        '/films',
        '/film/f0',
        '/search',
        '/device',
        '/network',
        '/settings',
        '/settings/picture',
        '/settings/sharing',
      ]) {
        await page.goto(base + path)
        await page.locator('main h1').first().waitFor({ state: 'attached' })
        await page.waitForTimeout(200)
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`)
      }
      server.state.cast.play({ renderer: 'tv', items: ['f3', 's7-2'], position: 100 })
      await page
        .getByRole('button', { name: /^Abspielen auf/ })
        .locator('visible=true')
        .first()
        .click()
      await page.getByRole('button', { name: 'Living room TV' }).first().click()
      await page.getByRole('link', { name: /^Es läuft/ }).click()
      const now = page.getByRole('dialog', { name: 'Es läuft' })
      for (const name of ['Einschlafzeit', 'Tempo', 'Ton und Untertitel', 'Kapitel', 'Mehr']) {
        await now.getByRole('button', { name, exact: true }).click()
        await page.waitForTimeout(300)
        const wide = await page.evaluate(
          () =>
            [...document.querySelectorAll('.now, dialog[open] .body')].filter(
              (each) => each.scrollWidth > each.clientWidth,
            ).length,
        )
        assert.equal(wide, 0, `${name} is too wide`)
        await page.keyboard.press('Escape')
        await page.locator('dialog[open]').waitFor({ state: 'detached' })
      }
    },
    { language: 'de', width: 320, height: 640 },
  ),
)

test('arrows of a remote move to the nearest control', standIn, () =>
  visit(
    '/music?tv',
    async (page) => {
      await page.locator('main ol > li').first().waitFor()
      const focused = () =>
        page.evaluate(() => document.activeElement.closest('[aria-posinset]')?.getAttribute('aria-posinset'))
      await page.locator('main ol > li a').first().focus()
      await page.keyboard.press('ArrowRight')
      assert.equal(await focused(), '2')
      await page.keyboard.press('ArrowDown')
      assert.ok(Number(await focused()) > 3, 'a row further down')
    },
    { width: 1920, height: 1080 },
  ),
)

test('the list of keys opens with ?', () =>
  visit('/music', async (page) => {
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).getByText('Play or pause').waitFor()
    await page.keyboard.press('Escape')
  }))

test('single-letter keys can be turned off', standIn, () =>
  visit('/settings', async (page) => {
    await page.getByRole('radio', { name: 'Off' }).check()
    await page.locator('main').focus()
    await page.keyboard.press('/')
    assert.equal(new URL(page.url()).pathname, '/settings')
  }),
)

test('reads right to left', standIn, () =>
  visit(
    '/album/a4',
    async (page) => {
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.evaluate(() => (document.dir = 'rtl'))
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(overflow <= 0, `${overflow} px too wide`)
      const [nav, main] = await Promise.all([
        page.getByRole('navigation', { name: 'Main' }).boundingBox(),
        page.locator('main').boundingBox(),
      ])
      assert.ok(nav.x > main.x, 'the navigation is on the right')
    },
    { width: 1280 },
  ),
)

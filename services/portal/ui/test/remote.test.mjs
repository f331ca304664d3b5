/** The page as a remote: for the TV, for another page, and as a page that others play on. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from './browser.mjs'
import {
  advances,
  base,
  browser,
  firstAlbum,
  firstFilm,
  realOnly,
  server,
  standIn,
  titleOf,
  until,
  visit,
} from './harness.mjs'
import {
  bar,
  choose,
  control,
  forTV,
  now,
  onTV,
  phone,
  place,
  sheet,
  silent,
  songs,
  timeOf,
  upcoming,
} from './remote.mjs'

test('what is chosen plays on the TV, and the page is its remote', standIn, () =>
  visit('/album/a4', async (page) => {
    await choose(page, 'Living room TV')
    await place(page).first().getByText('Living room TV').waitFor()
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await until(() => onTV()?.state === 'playing')
    assert.equal(onTV().queue.length, 10)
    await bar(page).getByRole('button', { name: 'Pause' }).waitFor()
    await silent(page)
    await bar(page).getByText('0:01').waitFor()
    await bar(page).getByRole('button', { name: 'Pause' }).click()
    await until(() => onTV().state === 'paused')
    await page.locator('main').focus()
    await page.keyboard.press('n')
    await until(() => onTV().queue[onTV().index].item.id === 's4-2')
    await bar(page)
      .getByRole('link', { name: /Glass signals/ })
      .waitFor()
    await page.keyboard.press('ArrowRight')
    await until(() => Math.abs(onTV().position - 10) < 1)
    await page.keyboard.press('m')
    await until(() => onTV().muted)
    await page.reload()
    await bar(page).getByText('Living room TV').waitFor() // it is remembered
  }),
)

test('a press shows at once, and is taken back where it was refused', standIn, () =>
  forTV('/', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: songs })
    await bar(page).getByRole('button', { name: 'Pause' }).waitFor()
    server.state.cast.state.delay = 1000
    await bar(page).getByRole('button', { name: 'Pause' }).click()
    await bar(page).getByRole('button', { name: 'Play', exact: true }).waitFor({ timeout: 600 })
    assert.equal(onTV().state, 'playing', 'the device has not heard of it yet')
    await until(() => onTV().state === 'paused')
    await page.waitForTimeout(300)
    await bar(page).getByRole('button', { name: 'Play', exact: true }).waitFor({ timeout: 600 })
  }),
)

test('the time goes on by the device’s clock, however wrong this one is', standIn, () =>
  forTV('/', async (page) => {
    server.state.cast.state.away = 3_600_000 * 5
    server.state.cast.play({ renderer: 'tv', items: songs, position: 61 })
    await bar(page).getByText('1:02').waitFor()
    // A word that differs by less than a second does not make the time step back.
    const seen = []
    for (let i = 0; i < 12; i++) {
      const session = onTV()
      session.position = (Date.now() + server.state.cast.state.away - session.at) / 1000 + session.position - 0.3
      session.at = Date.now() + server.state.cast.state.away
      if (i % 4 === 0) server.state.cast.changed(session)
      seen.push(Number(await bar(page).getByRole('slider', { name: 'Position' }).inputValue()))
      await page.waitForTimeout(120)
      session.position += 0.3
    }
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
  }),
)

test('music moves to the TV in one tap and back, at the same place', standIn, () =>
  visit('/album/a4', async (page) => {
    // However slow all this is, a song is never further than if it had played ever since.
    let began = performance.now()
    const played = () => (performance.now() - began) / 1000
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await advances(page, '#audio', 1.5)
    const { cast } = server.state
    const [session] = cast.state.sessions.values()
    await until(() => cast.state.reports.some(({ state }) => state === 'playing') && cast.positionOf(session) > 1.5)
    await choose(page, 'Living room TV')
    await until(() => onTV()?.state === 'playing')
    assert.ok(onTV().position > 1.5 && onTV().position < played(), `at ${onTV().position} after ${played()}`)
    await silent(page)
    began = performance.now()
    control({ do: 'seek', to: 12 })
    await bar(page).getByText('0:12').waitFor()
    await choose(page, 'This computer')
    await page.waitForFunction(() => document.querySelector('#audio').currentTime > 12)
    const time = await timeOf(page)
    assert.ok(time < 12 + played(), `at ${time}, ${played()} after it was at 12`)
    await until(() => !onTV())
    await bar(page).getByText('This computer').waitFor()
    assert.equal(server.state.cast.state.sessions.size, 1)
  }),
)

test('the device plays what is chosen, and the page is its remote', realOnly, async () => {
  const album = await firstAlbum()
  await visit(`/album/${album.id}`, async (page) => {
    await place(page).first().click()
    await sheet(page).getByRole('listitem').nth(1).getByRole('button').click()
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await bar(page).getByText('0:02').waitFor()
    await silent(page)
    await bar(page).getByRole('button', { name: 'Pause' }).click()
    const sessions = async () => (await (await fetch(base + '/api/v1/cast/sessions')).json()).sessions
    const here = async () => (await sessions()).find(({ renderer }) => renderer === 'tv')
    await until(async () => (await here()).state === 'paused')
    await page.locator('main').focus()
    await page.keyboard.press('ArrowRight')
    await until(async () => (await here()).position > 8)
    await bar(page).getByRole('button', { name: 'Next song' }).click()
    await until(async () => (await here()).index === 1)
    await bar(page).getByRole('button', { name: 'Play', exact: true }).click()
    await until(async () => (await here()).state === 'playing')
    await choose(page, 'This computer')
    await advances(page, '#audio', 0.5)
    await until(async () => !(await here()))
    await page.goto(base + '/settings/picture')
    await page.getByRole('heading', { level: 1, name: 'Picture and sound' }).waitFor()
    await page.getByRole('radio', { name: 'Each album' }).check()
    await page.reload()
    assert.ok(await page.getByRole('radio', { name: 'Each album' }).isChecked())
  })
})

test('one page plays, another is its remote, and takes it over', async () => {
  const album = await firstAlbum()
  await visit(`/album/${album.id}`, async (one) => {
    await one.getByRole('button', { name: 'Play', exact: true }).first().click()
    await advances(one, '#audio')
    const { page: two, close, troubles } = await open(browser(), base, { userAgent: phone })
    two.setDefaultTimeout(20_000)
    try {
      await two.goto(base + '/')
      await place(two).first().click()
      await sheet(two)
        .getByRole('button', { name: /Take the remote$/ })
        .first()
        .click()
      await bar(two).getByText('Chrome on Linux').waitFor()
      await bar(two).getByRole('button', { name: 'Pause' }).click()
      await silent(one)
      await bar(one).getByRole('button', { name: 'Play', exact: true }).waitFor()
      await bar(two).getByRole('button', { name: 'Play', exact: true }).click()
      await one.waitForFunction(() => !document.querySelector('#audio').paused)
      const before = await timeOf(one)
      await choose(two, 'This phone')
      await two.waitForFunction(() => document.querySelector('#audio').currentTime > 0.5)
      await silent(one)
      assert.ok((await timeOf(two)) >= before - 1.5, 'at the same place')
      assert.deepEqual(troubles, [])
    } finally {
      await close()
    }
  })
})

test('a film goes from this page to the TV, and the page becomes its remote', standIn, async () => {
  const film = await firstFilm()
  await visit(`/film/${film.id}/play`, async (page) => {
    await advances(page, '#video', 1)
    await page.mouse.move(200, 200)
    await until(() => server.state.cast.state.sessions.size === 1)
    await choose(page, 'Living room TV')
    await until(() => onTV()?.state === 'playing')
    assert.ok(onTV().position > 0.5 && onTV().position < 5, `at ${onTV().position}`)
    await now(page)
      .getByRole('heading', { name: titleOf(film) })
      .waitFor()
    await page.locator('#video').waitFor({ state: 'detached' })
    await now(page).getByRole('button', { name: '30 seconds on' }).click()
    await until(() => onTV().position > 30)
    await now(page).getByRole('button', { name: 'Sound and subtitles' }).click()
    await page.getByRole('radio', { name: /German/ }).check()
    await until(() => onTV().subtitle === 2)
    await page.keyboard.press('Escape')
    await now(page).getByRole('button', { name: 'Chapters' }).click()
    await page.getByRole('radio', { name: /The storm/ }).click()
    await until(() => onTV().position > 2500)
    await now(page).getByText('2019 · The storm').waitFor()
  })
})

test('a film that somebody sends here opens and plays', standIn, () =>
  visit('/', async (page) => {
    await place(page).first().waitFor()
    const id = [...server.state.cast.state.browsers.keys()].at(-1)
    server.state.cast.play({ renderer: id, items: ['f0'], position: 20 })
    await page.waitForFunction(() => document.querySelector('#video')?.currentTime > 20.3)
    const session = server.state.cast.on(id)
    server.state.cast.answer('POST', `sessions/${session.id}/control`, null, { do: 'pause' })
    await page.waitForFunction(() => document.querySelector('#video').paused)
    server.state.cast.answer('DELETE', `sessions/${session.id}`)
    await page.locator('#video').waitFor({ state: 'detached' })
  }),
)

test('a phone at home begins with the TV, a computer with itself', standIn, async () => {
  await visit('/', (page) => place(page).first().getByText('Living room TV').waitFor(), { userAgent: phone })
  await visit('/', (page) => place(page).first().getByText('This computer').waitFor())
})

test('a place that cannot play says why', standIn, () =>
  forTV('/', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: ['f0'] })
    await bar(page).getByText('The Lighthouse Keeper').waitFor()
    await place(page).first().click()
    const attic = sheet(page).getByRole('button', { name: /^Attic television/ })
    await attic.getByText('It is switched off.').waitFor()
    assert.ok(await attic.isDisabled())
    assert.ok(await sheet(page).getByRole('button', { name: 'Kitchen Music only' }).isDisabled())
  }),
)

test('volume, repeat, sleep timer and speed reach the TV', standIn, () =>
  forTV('/#now', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: songs })
    await now(page).getByRole('slider', { name: 'Volume' }).focus()
    await page.keyboard.press('ArrowLeft')
    await until(() => onTV().volume === 65)
    await now(page).getByRole('button', { name: 'Repeat: off' }).click()
    await until(() => onTV().repeat === 'all')
    await now(page).getByRole('button', { name: 'Repeat: all' }).click()
    await now(page).getByRole('button', { name: 'Repeat: this one' }).waitFor()
    await until(() => onTV().repeat === 'one')
    await now(page).getByRole('button', { name: 'Sleep timer' }).click()
    await page.getByRole('radio', { name: '30 minutes' }).click()
    await until(() => onTV().sleep)
    await now(page).getByText('29:5').waitFor()
    await now(page).getByRole('button', { name: 'Speed' }).click()
    await page.getByRole('radio', { name: '1.5 times' }).click()
    await until(() => onTV().speed === 1.5)
    await now(page).getByText('1.5×').waitFor()
  }),
)

test('what was stopped is gone, unless that is undone', standIn, () =>
  forTV('/#now', async (page) => {
    server.state.cast.play({ renderer: 'tv', items: songs, index: 2, position: 20 })
    await now(page).getByRole('button', { name: 'More', exact: true }).click()
    await page.getByRole('button', { name: 'Stop and empty' }).click()
    await until(() => !onTV())
    await bar(page).getByRole('button', { name: 'Pause' }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await until(() => onTV()?.queue.length === 6 && onTV().queue[0].item.id === 's4-3')
    assert.ok(onTV().position >= 20)
  }),
)

test('headphones that are pulled out pause it for everybody', standIn, () =>
  visit('/album/a4', async (page) => {
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await advances(page, '#audio', 2) // the press is over
    await page.evaluate(() => document.querySelector('#audio').pause())
    const [session] = server.state.cast.state.sessions.values()
    await until(() => session.state === 'paused')
    await bar(page).getByRole('button', { name: 'Play', exact: true }).waitFor()
  }),
)

test('a connection that was lost for long does not end the music', standIn, () =>
  visit(
    '/album/a4',
    async (page) => {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click()
      await advances(page, '#audio', 2)
      const [session] = server.state.cast.state.sessions.values()
      server.setDown(true)
      Object.assign(session, { state: 'paused', parked: true, problem: { code: 'gone', text: 'x', at: 'x' } })
      await page.waitForTimeout(1500)
      server.setDown(false)
      await until(() => session.state === 'playing')
      assert.equal(await page.evaluate(() => document.querySelector('#audio').paused), false)
      await until(async () => Math.abs(session.position - (await timeOf(page))) < 3)
    },
    { allow: [/ERR_/, /Failed to load/] },
  ),
)

test('a film goes on through a connection that was lost for long', standIn, () =>
  visit(
    '/film/f0/play',
    async (page) => {
      await advances(page, '#video', 2)
      await until(() => server.state.cast.state.sessions.size === 1)
      const [session] = server.state.cast.state.sessions.values()
      await page.waitForTimeout(1500)
      server.setDown(true)
      Object.assign(session, { state: 'paused', parked: true, problem: { code: 'gone', text: 'x', at: 'x' } })
      await page.waitForTimeout(1500)
      server.setDown(false)
      await until(() => session.state === 'playing')
      assert.equal(await page.evaluate(() => document.querySelector('#video').paused), false)
      await page.keyboard.press('Escape')
      await until(() => session.state === 'paused')
      assert.ok(session.position > 3)
      await bar(page).getByRole('button', { name: 'Play', exact: true }).click()
      await page.waitForFunction(() => document.querySelector('#video')?.currentTime > 3)
    },
    { allow: [/ERR_/, /Failed to load/] },
  ),
)

test('a screen is told once whose language and time it is', standIn, () =>
  forTV('/', async (page) => {
    const zone = await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone)
    await until(() => server.state.screen.settings.zone === zone)
    assert.equal(server.state.screen.settings.language, 'en')
    Object.assign(server.state.screen.settings, { zone: 'Asia/Tokyo', language: 'de' })
    await page.reload()
    await page.getByRole('navigation').first().waitFor()
    await page.waitForTimeout(500)
    assert.deepEqual([server.state.screen.settings.zone, server.state.screen.settings.language], ['Asia/Tokyo', 'de'])
  }),
)

test('what was left out is said with its reason', standIn, () =>
  forTV('/', async (page) => {
    const { id } = server.state.cast.play({ renderer: 'tv', items: songs })
    await bar(page).waitFor()
    const session = server.state.cast.state.sessions.get(id)
    session.problem = { title: 'Low tide', code: 'corrupt', text: 'x', at: new Date().toISOString() }
    server.state.cast.changed(session)
    await page.getByRole('status').getByText('Skipped “Low tide”. The file is damaged').waitFor()
    Object.assign(session, { state: 'stopped', problem: { code: 'gone', text: 'The TV is off.', at: 'x' } })
    server.state.cast.changed(session)
    await bar(page).getByText('The TV is off.').waitFor()
  }),
)

test('without the service the page plays by itself', standIn, async () => {
  server.state.casting = false
  await visit('/album/a4', async (page) => {
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await advances(page, '#audio')
    await bar(page).getByRole('button', { name: 'Next song' }).click()
    await page.waitForFunction(() => document.querySelector('#audio').src.includes('s4-2'))
    await page.evaluate(() => (document.querySelector('#audio').currentTime = 29.6))
    await page.waitForFunction(() => document.querySelector('#audio').src.includes('s4-3'))
    await bar(page)
      .getByRole('link', { name: /^Now playing: / })
      .click()
    await now(page).getByRole('button', { name: 'Shuffle' }).click()
    await now(page).getByRole('button', { name: 'Shuffle', pressed: true }).waitFor()
    await upcoming(page)
      .first()
      .getByRole('button', { name: /^Remove / })
      .click()
    await until(async () => (await upcoming(page).count()) === 6)
    await page.keyboard.press('Escape')
    await page.reload()
    await bar(page).getByRole('button', { name: 'Play', exact: true }).click()
    await page.waitForFunction(() => document.querySelector('#audio').src.includes('s4-3'))
  })
})

test('picture and sound are chosen, and say what they do now', standIn, () =>
  visit('/settings', async (page) => {
    await page.getByRole('link', { name: /^Picture and sound/ }).click()
    await page.getByText('1920 × 1080 at 23.976 Hz').waitFor()
    await page.getByText('48 kHz · 2 channels').waitFor()
    await page.getByText('Details').click()
    await page.getByText('20,114 pictures shown').waitFor()
    await page.getByRole('radio', { name: /Topping D50/ }).check()
    await until(() => server.state.screen.settings.card === 'D50')
    await page.getByRole('button', { name: '10 milliseconds later' }).click()
    const { screen } = server.state
    await until(() => Math.abs(server.state.screen.settings.offsets?.[screen.sound.card] - 0.05) < 0.001)
    assert.equal(server.state.screen.settings.offset, 0.04, 'other outputs keep theirs')
    await page.getByRole('radio', { name: '5 seconds' }).check()
    await until(() => server.state.screen.settings.crossfade === 5)
    await page.getByRole('switch', { name: 'Surround to the receiver' }).check()
    await until(() => server.state.screen.settings.passthrough === true)
    await page.getByRole('switch', { name: /^Look for loudspeakers/ }).check()
    await until(() => server.state.cast.state.settings.dlna)
  }),
)

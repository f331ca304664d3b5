/**
 * The page in Debian's Chromium. With BASE_URL it is the page of a real manofwar that has at least one album and one
 * film; without, that of the stand-in, which can also fail on demand.
 */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { launch, open } from './browser.mjs'
import { serve } from './server.mjs'

const real = process.env.BASE_URL?.replace(/\/$/, '')
const standIn = { skip: real ? 'a real manofwar does not fail on demand' : false }
let [server, browser, base] = []

before(async () => {
  server = real ? null : await serve()
  base = real ?? server.url
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.close()
})

/** Runs a test on a page of its own, which must have had no trouble by its end. */
async function visit(path, run, options = {}) {
  const { page, troubles, close } = await open(browser, base, options)
  page.setDefaultTimeout(20_000)
  try {
    await page.goto(base + path)
    await run(page)
    assert.deepEqual(troubles, [])
  } finally {
    await close()
  }
}

const advances = (page, selector, by = 1) =>
  page.waitForFunction(
    ([selector, by]) => {
      const media = document.querySelector(selector)
      window.from ??= media?.currentTime
      return media && media.currentTime >= window.from + by
    },
    [selector, by],
    { timeout: 45_000 },
  )

/** Waits until something is so. */
async function until(is) {
  for (const end = Date.now() + 10_000; !(await is());) {
    if (Date.now() > end) throw new Error(`not within 10 seconds: ${is}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const firstAlbum = async () => (await (await fetch(base + '/api/v1/albums?limit=1')).json()).albums[0]
const titleOf = (film) =>
  film.title ||
  film.path
    .split('/')
    .at(-1)
    .replace(/( \(\d{4}\))?\.[^.]+$/, '')
const filmsOf = async () => (await (await fetch(base + '/api/v1/items?kind=film')).json()).items
const firstFilm = async () =>
  (await filmsOf()).find(
    (film) => !film.problem && !film.away && film.streams?.some((stream) => stream.codec === 'h264'),
  )

describe('library', () => {
  test('home shows what there is', () =>
    visit('/', async (page) => {
      await page.getByRole('heading', { name: 'Albums', exact: false }).first().waitFor()
      await page.getByRole('link', { name: 'Show all' }).first().waitFor()
      assert.match(await page.title(), /^Home – /)
    }))

  test('music lists albums, and an album its songs', async () => {
    const album = await firstAlbum()
    await visit('/music', async (page) => {
      await page.getByRole('link', { name: album.title }).first().click()
      await page.getByRole('heading', { level: 1, name: album.title }).waitFor()
      assert.equal(await page.locator('main ol > li').count(), album.tracks)
      await page.getByRole('button', { name: 'Back', exact: true }).click()
      await page.getByRole('heading', { level: 1, name: 'Music' }).waitFor()
    })
  })

  test('the filter narrows the list as one types, and is in the address', async () => {
    const album = await firstAlbum()
    const word = album.title.split(' ')[0]
    await visit('/music', async (page) => {
      await page.getByRole('searchbox', { name: 'Filter music' }).fill(word)
      await page.waitForURL((url) => url.searchParams.get('q') === word)
      await page.getByRole('link', { name: album.title }).first().waitFor()
      await page.getByRole('searchbox').fill('zzzqqq')
      await page.getByRole('heading', { name: 'Nothing found for “zzzqqq”' }).waitFor()
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.getByRole('link', { name: album.title }).first().waitFor()
    })
  })

  test('search finds albums, songs and films', async () => {
    const film = await firstFilm()
    const title = titleOf(film)
    await visit('/', async (page) => {
      await page.keyboard.press('/')
      await page.getByRole('searchbox', { name: 'Search music and films' }).fill(title.split(' ').at(-1))
      await page.getByRole('link', { name: title }).first().click()
      await page.getByRole('heading', { level: 1, name: titleOf(film) }).waitFor()
    })
  })

  test('an address that does not exist, and an item that is gone', () =>
    visit(
      '/nowhere',
      async (page) => {
        await page.getByRole('heading', { level: 2, name: 'There is no such page' }).waitFor()
        await page.goto(base + '/album/gone')
        await page.getByRole('alert').getByText('This is not in the library any more').waitFor()
      },
      { allow: [/404/] },
    ))

  test('a hundred thousand songs scroll smoothly, and only some of them are in the page', standIn, async () => {
    server.state.endless = 100_000
    try {
      await visit('/music/songs', async (page) => {
        await page.getByText('Lights no. 1', { exact: false }).first().waitFor()
        const frames = await page.evaluate(async () => {
          const times = []
          for (let i = 0; i < 60; i++) {
            scrollBy(0, 480)
            const from = performance.now()
            await new Promise(requestAnimationFrame)
            times.push(performance.now() - from)
          }
          return times.sort((a, b) => a - b)
        })
        assert.ok(
          frames[Math.floor(frames.length / 2)] < 40,
          `half of the frames within 40 ms: ${frames.map(Math.round)}`,
        )
        await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2))
        await page.locator('main ol > li[aria-posinset="50000"]').getByText('no. 50000').waitFor()
        await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
        await page.getByText('no. 100000').waitFor()
        const rows = await page.locator('main ol > li').count()
        assert.ok(rows < 60, `${rows} rows in the page`)
        const fetched = server.state.requests.filter((each) => each.includes('/api/v1/items?kind=music')).length
        assert.ok(fetched < 20, `${fetched} pages fetched`)
      })
    } finally {
      server.state.endless = 0
    }
  })

  test('every list says why it is empty', standIn, async () => {
    const { library, status } = server.state
    server.state.library = { albums: [], items: [] }
    const none = { ...status.library, roots: [], music: 0, films: 0 }
    server.state.status = { ...status, library: none }
    try {
      for (const path of ['/', '/music', '/music/songs', '/films']) {
        await visit(path, (page) => page.getByRole('heading', { name: 'Plug in a disk with music or films' }).waitFor())
      }
      server.state.status = { ...status, library: { ...none, roots: [{ ...status.library.roots[0], away: true }] } }
      await visit('/', (page) => page.getByText('Plug in Blue Disk again and everything is back.').waitFor())
    } finally {
      Object.assign(server.state, { library, status })
    }
  })

  test('a list that cannot be fetched says so and can be tried again', standIn, async () => {
    server.state.fail.set('/api/v1/albums', {
      status: 503,
      code: 'internal',
      message: 'index: no such bucket',
      hint: 'Scan again.',
    })
    await visit(
      '/music',
      async (page) => {
        const alert = page.getByRole('alert')
        await alert.getByText('Something went wrong on the device').waitFor()
        await alert.getByText('index: no such bucket').waitFor()
        server.state.fail.clear()
        await alert.getByRole('button', { name: 'Try again' }).click()
        await page.locator('main ol > li').first().waitFor()
      },
      { allow: [/503/] },
    )
  })
})

describe('music', () => {
  test('a song plays, pauses by key, seeks and goes on to the next', async () => {
    const album = await firstAlbum()
    await visit(`/album/${album.id}`, async (page) => {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click()
      await advances(page, '#audio')
      const song = await page.evaluate(() => document.querySelector('#audio').src)
      await page.getByRole('heading', { level: 1 }).click() // leave the button
      await page.locator('main').focus()
      await page.keyboard.press('Space')
      await page.waitForFunction(() => document.querySelector('#audio').paused)
      const at = await page.evaluate(() => document.querySelector('#audio').currentTime)
      await page.keyboard.press('ArrowRight')
      await page.waitForFunction((at) => document.querySelector('#audio').currentTime > at + 5, at)
      await page.keyboard.press('Space')
      await page.waitForFunction(() => !document.querySelector('#audio').paused)
      if (album.tracks > 1) {
        await page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Next song' }).click()
        await page.waitForFunction((song) => document.querySelector('#audio').src !== song, song)
        assert.ok(await page.evaluate(() => navigator.mediaSession.metadata.title))
      }
    })
  })

  test('one song follows the other by itself', standIn, () =>
    visit('/album/a4', async (page) => {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click()
      await advances(page, '#audio', 0.5)
      await page.evaluate(
        () => (document.querySelector('#audio').currentTime = document.querySelector('#audio').duration - 0.3),
      )
      await page.waitForFunction(
        () =>
          document.querySelector('#audio').src.includes('s4-2') && document.querySelector('#audio').currentTime > 0.3,
      )
    }),
  )

  test('now playing opens over the page, and Escape leads back', async () => {
    const album = await firstAlbum()
    await visit(`/album/${album.id}`, async (page) => {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click()
      await advances(page, '#audio', 0.5)
      await page.getByRole('link', { name: /^Now playing: / }).click()
      const dialog = page.getByRole('dialog', { name: 'Now playing' })
      await dialog.waitFor()
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      assert.equal(new URL(page.url()).hash, '')
    })
  })

  test('the queue is shuffled and put back', standIn, () =>
    visit('/album/a4', async (page) => {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click()
      await page.getByRole('link', { name: /^Now playing: / }).click()
      const queue = page.getByRole('region', { name: 'Next' }).getByRole('listitem')
      const before = await queue.allInnerTexts()
      await queue
        .nth(1)
        .getByRole('button', { name: /^Remove / })
        .click()
      await until(async () => (await queue.count()) === before.length - 1)
      await page.getByRole('button', { name: 'Undo' }).click()
      await until(async () => isDeepStrictEqual(await queue.allInnerTexts(), before))
      await page.getByRole('button', { name: 'Shuffle' }).last().click()
      await until(async () => !isDeepStrictEqual(await queue.allInnerTexts(), before))
      await page.getByRole('button', { name: 'Undo' }).last().click()
      await until(async () => isDeepStrictEqual(await queue.allInnerTexts(), before))
    }),
  )

  test('a damaged song is skipped with a word', standIn, async () => {
    server.state.fail.set('/media/s4-1/file', { status: 422, code: 'corrupt', message: 's4-1: the file is damaged' })
    await visit(
      '/album/a4',
      async (page) => {
        await page.getByRole('button', { name: 'Play', exact: true }).first().click()
        await page.getByRole('status').getByText('The file is damaged').waitFor()
        await page.waitForFunction(() => document.querySelector('#audio').src.includes('s4-2'))
        await advances(page, '#audio', 0.5)
      },
      { allow: [/422/] },
    )
    server.state.fail.clear()
  })

  test('a disk that is pulled out stops the song, and its return goes on', standIn, async () => {
    const { status } = server.state
    server.state.fail.set('/media/s4-2/file', { status: 503, code: 'away', message: 's4-2: its disk is not connected' })
    const away = { ...status.library, roots: [{ ...status.library.roots[0], away: true }] }
    await visit(
      '/album/a4',
      async (page) => {
        server.tell('library', away)
        await page.locator('main ol > li').nth(1).getByRole('button').click()
        const bar = page.getByRole('region', { name: 'Player' })
        await bar.getByText('The disk with this is not connected').waitFor()
        server.state.fail.clear()
        server.tell('library', status.library)
        await advances(page, '#audio', 0.5)
        assert.equal(await bar.getByText('The disk with this is not connected').count(), 0)
      },
      { allow: [/503/] },
    )
  })

  test('the next visit begins where the last one was left', standIn, () =>
    visit('/album/a4', async (page) => {
      await page.getByRole('button', { name: 'Play', exact: true }).first().click()
      await advances(page, '#audio')
      await page.reload()
      await page.getByRole('link', { name: /^Now playing: / }).waitFor()
      await page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Play' }).click()
      await page.waitForFunction(() => document.querySelector('#audio').currentTime > 0.9)
    }),
  )
})

describe('films', () => {
  test('a film plays over HLS, decodes frames, and a seek to the middle lands', async () => {
    const film = await firstFilm()
    await visit(`/film/${film.id}`, async (page) => {
      const segments = []
      page.on('response', (response) => {
        if (response.url().includes('/hls/') && response.ok()) segments.push(response.url())
      })
      await page.getByRole('link', { name: 'Play' }).click()
      await advances(page, '#video')
      const frames = () =>
        page.evaluate(() => document.querySelector('#video').getVideoPlaybackQuality().totalVideoFrames)
      assert.ok((await frames()) > 0, 'frames decode')
      assert.ok(segments.length > 1, 'over HLS')
      const middle = await page.evaluate(() => document.querySelector('#video').duration / 2)
      const slider = page.getByRole('slider', { name: 'Position' })
      await page.mouse.move(300, 300)
      const box = await slider.boundingBox()
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
      await page.waitForFunction((to) => Math.abs(document.querySelector('#video').currentTime - to) < to * 0.2, middle)
      await page.evaluate(() => (window.from = undefined))
      const before = await frames()
      await advances(page, '#video')
      assert.ok((await frames()) > before, 'frames decode after the seek')
      await page.keyboard.press('Escape')
      await page.getByRole('heading', { level: 1, name: titleOf(film) }).waitFor()
    })
  })

  test('keys pause, seek and show subtitles', standIn, () =>
    visit('/film/f0/play', async (page) => {
      await advances(page, '#video', 0.5)
      await page.keyboard.press('Space')
      await page.waitForFunction(() => document.querySelector('#video').paused)
      await page.keyboard.press('ArrowRight')
      await page.waitForFunction(() => document.querySelector('#video').currentTime > 9)
      await page.keyboard.press('c')
      await page.getByText('Subtitles: German').waitFor()
      await page.waitForFunction(() => document.querySelector('#video').textTracks[0].activeCues?.length === 1)
    }),
  )

  test('a film the server cannot package plays as the file it is', standIn, async () => {
    const film = server.state.library.items.find((each) => each.id === 'f1')
    film.container = 'mp4'
    server.state.fail.set('/media/f1/hls/index.m3u8', {
      status: 422,
      code: 'unsupported',
      message: 'f1: not supported',
    })
    await visit(
      '/film/f1/play',
      async (page) => {
        await advances(page, '#video', 0.5)
        assert.match(await page.evaluate(() => document.querySelector('#video').currentSrc), /\/media\/f1\/file$/)
      },
      { allow: [/422/] },
    )
    server.state.fail.clear()
  })

  test('a disk that is pulled out stops the film, and its return goes on', standIn, async () => {
    const { status } = server.state
    const why = { status: 503, code: 'away', message: 'f4: its disk is not connected' }
    for (let segment = 6; segment < 20; segment++) server.state.fail.set(`/media/f4/hls/${segment}.m4s`, why)
    await visit(
      '/film/f4/play',
      async (page) => {
        await advances(page, '#video', 0.5)
        server.state.fail.set('/media/f4/file', why)
        server.tell('library', { ...status.library, roots: [{ ...status.library.roots[0], away: true }] })
        await page.evaluate(() => (document.querySelector('#video').currentTime = 40))
        const gone = page.getByRole('alert').getByText('The disk with this is not connected')
        await gone.waitFor()
        server.state.fail.clear()
        server.tell('library', status.library)
        await gone.waitFor({ state: 'detached' })
        await page.waitForFunction(() => document.querySelector('#video').currentTime > 40.5)
      },
      { allow: [/503/] },
    )
  })

  test('a film that cannot be played says why', standIn, async () => {
    const why = {
      status: 422,
      code: 'unsupported',
      message: 'Windfall.wmv: WMV3 is not supported',
      hint: 'Convert it to H.264 on a computer.',
    }
    for (const path of ['hls/index.m3u8', 'file']) server.state.fail.set(`/media/f2/${path}`, why)
    await visit(
      '/film/f2/play',
      async (page) => {
        const alert = page.getByRole('alert')
        await alert.getByRole('heading', { name: 'This format cannot be played yet' }).waitFor()
        await alert.getByText(why.hint).waitFor()
        await alert.getByText('Details').click()
        await alert.getByText(why.message).waitFor()
        server.state.fail.clear()
        await alert.getByRole('button', { name: 'Try again' }).click()
        await advances(page, '#video', 0.5)
      },
      { allow: [/422/] },
    )
  })
})

describe('device', () => {
  test('shows the libraries, the network and the services', () =>
    visit('/device', async (page) => {
      await page.getByRole('heading', { name: 'Libraries' }).waitFor()
      await page.getByRole('heading', { name: 'Network' }).waitFor()
    }))

  test('a scan is followed live, with rate and time left', standIn, () =>
    visit('/device', async (page) => {
      await page.getByText('Everything is well').waitFor()
      const scan = {
        running: true,
        root: 'blue',
        found: 16_204,
        done: 4_200,
        started: new Date(Date.now() - 10_000).toISOString(),
        left: 29,
      }
      server.tell('library', { ...server.state.status.library, scan })
      const bar = page.getByRole('progressbar', { name: 'Looking through Blue Disk' })
      await bar.waitFor()
      assert.match(
        await bar.getAttribute('aria-valuetext'),
        /^4,200 of 16,204 files · 4\d\d a second · about 29 secs? left$/,
      )
      server.tell('library', server.state.status.library)
      await bar.waitFor({ state: 'detached' })
    }),
  )

  test('notices appear on every page at once', standIn, () =>
    visit('/', async (page) => {
      await page.getByRole('link', { name: 'Show all' }).first().waitFor()
      const since = new Date(Date.now() - 7_200_000).toISOString()
      server.tell('notices', [
        { code: 'data-full', level: 'warning', message: 'The memory card is full.', since },
        { code: 'unheard-of', level: 'error', message: 'The moon is in the way.', hint: 'Wait.', since },
      ])
      await page.getByRole('heading', { name: 'The memory card is full.' }).waitFor()
      await page.getByRole('heading', { name: 'The moon is in the way.' }).waitFor()
      await page.getByText('Since 2 hours ago').first().waitFor()
      await page.getByRole('link', { name: /Device\s*2 notices/ }).waitFor()
    }),
  )

  test('a log opens in a sheet', standIn, () =>
    visit('/device', async (page) => {
      await page.getByRole('button', { name: 'Log of catalog' }).click()
      await page.getByRole('dialog', { name: 'Log of catalog' }).getByText('slow disk ms=412').first().waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }),
  )

  test('a device that goes away is said calmly, and read again when it is back', standIn, () =>
    visit(
      '/music',
      async (page) => {
        await page.locator('main ol > li').first().waitFor()
        server.setDown(true)
        await page.getByText('No connection to livingroom').waitFor()
        assert.ok(await page.locator('main ol > li').count(), 'what was there stays')
        server.state.status = { ...server.state.status, notices: [{ code: 'degraded', message: 'x' }] }
        server.setDown(false)
        await page.getByText('Connected again.').waitFor()
        await page.getByRole('link', { name: /1 notice/ }).waitFor()
        server.state.status = { ...server.state.status, notices: [] }
      },
      { allow: [/ERR_/, /Failed to load/] },
    ),
  )
})

describe('page', () => {
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
          '/settings',
        ]) {
          await page.goto(base + path)
          await page.locator('main h1').first().waitFor({ state: 'attached' })
          await page.waitForTimeout(200)
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`)
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
})

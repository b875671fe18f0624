// The player of a clip and the lanes under it, on the page and in a page of its own.
(() => {
  "use strict";
  let file = null;  // that was given last, and its address; both stay in this browser
  let url = null;
  let at = null;  // the second that is shown

  const all = (what) => [...document.querySelectorAll(what)];
  const clock = (seconds) => {
    const tenths = Math.round(10 * seconds);
    const rest = String(Math.floor((tenths % 600) / 10)).padStart(2, "0");
    return `${Math.floor(tenths / 600)}:${rest}${tenths % 10 ? `.${tenths % 10}` : ""}`;
  };
  const nearest = (list, second, of) =>
    list.reduce((best, one) => (Math.abs(of(one) - second) < Math.abs(of(best) - second) ? one : best), list[0]);
  const read = (lane) => {
    lane.known ??= { moments: JSON.parse(lane.dataset.moments), absent: JSON.parse(lane.dataset.absent) };
    return lane.known;
  };
  const said = (lane, second) => {
    const { moments, absent } = read(lane);
    if (absent.some(([a, b]) => second > a && second < b)) return `${lane.dataset.name}: not seen`;
    return `${lane.dataset.name}: ${nearest(moments, second, (m) => m[0])[1]}`;
  };

  // Everything that shows a second follows; the player too, unless it leads.
  const show = (second, led = false) => {
    const time = document.querySelector(".wf-time");
    if (!time) return;
    const [begin, end] = [Number(time.dataset.begin), Number(time.dataset.end)];
    at = Math.min(end, Math.max(begin, second));
    time.style.setProperty("--wf-at", end > begin ? (at - begin) / (end - begin) : 0);
    const text = `${clock(at)}. ${all(".wf-lane").map((lane) => said(lane, at)).join("; ")}.`;
    all(".wf-seek").forEach((seek) => {
      seek.value = at;
      seek.setAttribute("aria-valuetext", text);
    });
    all(".wf-at-now").forEach((now) => { if (now.textContent !== text) now.textContent = text; });
    const stills = all(".wf-still");
    if (stills.length) {
      const near = nearest(stills, at, (still) => Number(still.dataset.second));
      stills.forEach((still) => { still.hidden = still !== near; });
    }
    const video = document.querySelector(".wf-clip.wf-plays video");
    if (video && !led) video.currentTime = at + 0.001;
  };

  const attach = (clip) => {
    const video = clip.querySelector("video");
    video.addEventListener("loadeddata", () => { clip.classList.add("wf-plays"); show(at ?? 0); });
    video.addEventListener("error", () => { clip.classList.remove("wf-plays"); clip.classList.add("wf-mute"); });
    video.addEventListener("timeupdate", () => show(video.currentTime, true));
    video.addEventListener("seeked", () => show(video.currentTime, true));
    if (video.readyState >= 2) clip.classList.add("wf-plays");
  };
  const play = (clip) => {
    if (!file) return;
    if (url) URL.revokeObjectURL(url);
    url = URL.createObjectURL(file);
    clip.classList.remove("wf-mute");
    clip.querySelector("video").src = url;
  };

  const take = (given) => { if (given) { file = given; at = null; } };
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("input[type=file]")) return;
    take(event.target.files?.[0]);
    const clip = event.target.closest(".wf-clip");
    if (clip) play(clip);
  }, true);
  document.addEventListener("drop", (event) => take(event.dataTransfer?.files?.[0]), true);

  document.addEventListener("click", (event) => {
    const jump = event.target.closest?.("[data-at]");
    const bar = event.target.closest?.(".wf-lane-bar");
    if (jump) {
      show(Number(jump.dataset.at));
      document.querySelector(".wf-clip")?.scrollIntoView({ block: "nearest" });
    } else if (bar) {
      const time = bar.closest(".wf-time");
      const box = bar.getBoundingClientRect();
      const [begin, end] = [Number(time.dataset.begin), Number(time.dataset.end)];
      show(begin + ((event.clientX - box.left) / box.width) * (end - begin));
      time.querySelector(".wf-seek").focus({ preventScroll: true });
    }
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches?.(".wf-seek")) show(Number(event.target.value));
  });

  // Arrows go from one frame that was read to the next, Page Up and Page Down from stretch to stretch.
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.(".wf-seek")) return;
    const way = { ArrowRight: 1, ArrowUp: 1, PageUp: 1, ArrowLeft: -1, ArrowDown: -1, PageDown: -1 }[event.key];
    const video = document.querySelector(".wf-clip.wf-plays video");
    if (event.key === " " && video) {
      event.preventDefault();
      if (video.paused) video.play(); else video.pause();
    }
    if (!way) return;
    event.preventDefault();
    const stops = event.key.startsWith("Page")
      ? all(".wf-lane-said [data-at]").map((stop) => Number(stop.dataset.at))
      : all(".wf-lane").flatMap((lane) => read(lane).moments.map((m) => m[0]));
    const ahead = stops.filter((s) => (s - at) * way > 0.004).sort((a, b) => (a - b) * way);
    if (ahead.length) show(ahead[0]);
  });

  const settle = () => {
    const clip = document.querySelector(".wf-clip");
    if (clip && !clip.dataset.settled) {
      clip.dataset.settled = "1";
      attach(clip);
      if (!clip.querySelector("video").getAttribute("src")) play(clip);
    }
    const time = document.querySelector(".wf-time");
    if (time && !time.dataset.settled) {
      time.dataset.settled = "1";
      show(at ?? Number(time.dataset.start));
    }
  };
  const start = () => {
    settle();
    new MutationObserver(settle).observe(document.body, { childList: true, subtree: true });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

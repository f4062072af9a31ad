(function () {
  var page = document.documentElement, key = "douyin-report-language", kept = null;
  function show(language) {
    page.className = "in-" + language;
    page.lang = language === "zh" ? "zh-CN" : "en";
    try { localStorage.setItem(key, language); } catch (e) { /* a page opened from a mail may not keep anything */ }
  }
  try { kept = localStorage.getItem(key); } catch (e) { /* as above */ }
  if (location.hash === "#en" || location.hash === "#zh") kept = location.hash.slice(1);
  if (kept === "en" || kept === "zh") show(kept);
  document.getElementById("language").addEventListener("click", function () { show(page.className === "in-zh" ? "en" : "zh"); });
})();

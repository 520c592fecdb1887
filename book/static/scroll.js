// What scrolls must be reached by the keyboard: formulas that are wider than the page take the focus.
async function letFormulasTakeTheFocus() {
    if (!window.MathJax?.startup) return;
    await MathJax.startup.promise;
    for (const formula of document.querySelectorAll("mjx-container[display], div.math")) {
        if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    }
}
window.addEventListener("load", letFormulasTakeTheFocus);

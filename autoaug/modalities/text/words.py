"""Words that operators treat in their own way. Exported modules contain this class."""

from __future__ import annotations


class FunctionWords:
    """Negations, which are protected, since without one a text may say the opposite; and English (after the list of Wei
    and Zou, 2019) and Chinese function words, which are not replaced by synonyms.
    """

    negations = frozenset(
        """
        no not never none nobody nothing neither nor nowhere without cannot hardly barely don't doesn't
        didn't isn't aren't wasn't weren't won't wouldn't can't couldn't shouldn't nicht kein keine keinen
        keiner nie niemals ohne ne pas jamais sans rien non mai senza sin nunca nada não nem sem
        niet geen nooit zonder inte aldrig utan ikke aldri uten uden nigdy bez değil yok asla tidak bukan
        jangan tanpa không chưa chẳng đừng δεν μην χωρίς не нет ни никогда без нельзя ні ніколи לא אין בלי
        لا لم لن ليس ليست بدون नहीं मत बिना 안 못 不 没
        没有 無 无 沒 沒有 别 別 莫 未 非 勿 不是 不会 不能 不要 不好 不行 不太 不够 不错 从不 从未 毫无
        并非
        """.split()  # noqa: SIM905 (a list of words is read best as text)
    )
    common = frozenset(
        """
        i me my myself we our ours ourselves you your yours yourself he him his himself she her hers
        herself it its itself they them their theirs themselves what which who whom this that these those
        am is are was were be been being have has had having do does did doing a an the and but if or
        because as until while of at by for with about against between into through during before after
        above below to from up down in out on off over under again further then once here there when where
        why how all any both each few more most other some such only own same so than too very s t can
        will just should now 的 了 是 在 我 你 他 她 它 我们 你们 他们 这 那 这个 那个 这些 那些 和 与 及
        或 就 都 而 也 很 到 说 要 去 会 着 看 自己 把 被 让 给 从 对 向 为 为了 因为 所以 但 但是 如果
        虽然 还 还是 又 再 才 只 吗 呢 吧 啊 呀 一 一个 上 下 中 里 地 得
        """.split()  # noqa: SIM905 (likewise)
    )

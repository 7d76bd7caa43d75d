"""Words that operators treat in their own way. Exported modules contain this class."""

from __future__ import annotations


class FunctionWords:
    """Negations, which are protected, since without one a text may say the opposite; and English (after the list of Wei
    and Zou, 2019) and Chinese function words, which are not replaced by synonyms.
    """

    negations = frozenset(
        """
        no not never none nobody nothing neither nor nowhere without cannot hardly barely scarcely rarely
        seldom dont doesnt didnt isnt arent wasnt werent wont wouldnt cant couldnt shouldnt havent hasnt
        hadnt aint nicht nichts kein keine keinem keinen keiner keines nie niemals niemand weder ohne
        ne pas jamais sans rien aucun aucune ni non mai senza nessuno nessuna niente né sin nunca nada
        nadie ninguno ninguna ningún tampoco jamás não nem sem nenhum nenhuma ninguém niet niets geen
        nooit zonder inte ingen inget ingenting aldrig utan ikke aldri uten uden nie nic nikt nigdy bez
        değil yok asla tidak bukan jangan tanpa không chưa chẳng đừng δε δεν μην όχι χωρίς не нет ни
        никто ничего никогда без нельзя ні ніхто нічого ніколи немає לא אין בלי لا لم لن ليس ليست غير بدون
        नहीं मत न बिना 안 못 莫 别 別 非 勿 并非
        """.split()  # noqa: SIM905 (a list of words is read best as text)
    )
    #: Chinese words with one of these stay, such as 没什么 (nothing), 不想 (do not want) and 从未 (never).
    negating = frozenset("不没沒无無未")
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

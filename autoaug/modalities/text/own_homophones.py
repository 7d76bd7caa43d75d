"""Words that sound alike. Exported modules contain this class if they need it."""

from __future__ import annotations


class OwnHomophones:
    """Groups of English words with a pronunciation in common (in American English, as in the CMU Pronouncing
    Dictionary), and of frequent Chinese characters and words that are typed alike, tones included. No negation is in
    them. One group per line.
    """

    groups = """
their, there
to, too, two
your, you're
its, it's
here, hear
buy, by, bye
for, four
new, knew
right, write, rite
would, wood
weather, whether
week, weak
one, won
sun, son
see, sea
be, bee
meet, meat
peace, piece
plain, plane
principal, principle
role, roll
sail, sale
scene, seen
sight, site, cite
some, sum
steal, steel
tail, tale
threw, through
wait, weight
waist, waste
way, weigh
wear, where, ware
which, witch
whole, hole
whose, who's
ate, eight
allowed, aloud
bare, bear
base, bass
beat, beet
berry, bury
blew, blue
board, bored
brake, break
bread, bred
cell, sell
cent, scent, sent
cereal, serial
chord, cord
coarse, course
council, counsel
days, daze
dear, deer
die, dye
dual, duel
fair, fare
feat, feet
find, fined
fir, fur
flea, flee
flour, flower
flew, flu
guessed, guest
great, grate
hair, hare
hall, haul
heal, heel
heard, herd
higher, hire
him, hymn
hour, our
idle, idol
knight, night
lead, led
lessen, lesson
loan, lone
made, maid
mail, male
main, mane
manner, manor
miner, minor
missed, mist
morning, mourning
muscle, mussel
naval, navel
oar, or, ore
pail, pale
pain, pane
pair, pear
passed, past
pause, paws
peak, peek
peer, pier
pole, poll
pray, prey
profit, prophet
rain, reign, rein
raise, rays
rap, wrap
read, red
real, reel
ring, wring
road, rode
root, route
rose, rows
seam, seem
sew, so
shear, sheer
shoot, chute
side, sighed
soared, sword
sole, soul
stair, stare
stake, steak
stationary, stationery
straight, strait
suite, sweet
team, teem
tide, tied
toe, tow
vain, vane, vein
vary, very
wail, whale
warn, worn
we, wee
weave, we've
wheel, we'll
wine, whine
world, whirled
affect, effect
air, heir
aisle, isle
altar, alter
ball, bawl
band, banned
billed, build
ceiling, sealing
chews, choose
colonel, kernel
creak, creek
crews, cruise
foul, fowl
gate, gait
groan, grown
hay, hey
horse, hoarse
key, quay
lane, lain
leak, leek
mode, mowed
packed, pact
pedal, peddle
plum, plumb
rough, ruff
seas, seize
slay, sleigh
staid, stayed
tacks, tax
taught, taut
tea, tee
throne, thrown
told, tolled
wade, weighed
war, wore
wrote, rote
他 她 它
的 地 得
在 再
做 作 坐 座
是 事 市 式 试 室 世 势 适
时 实 十 石 食 识
有 友
又 右
油 游 由
以 已
亿 意 义 易 艺
一 医 衣
到 道 倒
个 各
和 合 何 河 盒
会 汇 惠
就 旧 救
酒 久 九
象 像 向
想 响
带 代 待 袋
进 近
今 金 斤
支 知 之 枝
直 值 职 植
至 制 质 治 智 志
清 轻 青
情 晴
新 心 欣 辛
声 生 升
机 鸡 击 基 积
及 级 急 极 集
几 己 挤
记 计 季 纪 技 际 济
家 加 佳
价 架 嫁
见 件 建 健
前 钱
千 迁 签
元 园 原 员 圆 源
城 成 程 诚 承 乘
常 尝
便 变 遍
部 步 布
才 财 材 裁
店 电
点 典
定 订
风 封 丰 峰
服 福 扶 浮
父 付 负 富 副 附 复
高 糕
工 公 功 攻 宫
古 骨 谷 股 鼓
关 观 官
还 孩
号 耗
后 厚 候
化 话 画
教 叫 较
节 结
经 精 惊 睛
竟 静 净 镜 敬 境
课 客 刻 克
快 块 筷
里 理 礼 李
力 利 立 历 例 丽
连 联 莲 怜
量 辆 亮
流 留 刘
路 录 陆 露
马 码
每 美
名 明
目 木 幕
男 难 南
平 瓶 评 凭 苹
期 七 妻 漆
其 奇 骑 棋 旗 齐
气 汽 器 弃
全 权 泉
认 任
身 深 伸
手 首 守
书 输 舒 叔
树 数 术 束
思 司 丝 私
题 提
同 童 铜
完 玩
晚 碗
网 往
为 位 味 卫
文 闻 纹
五 舞 午
西 希 息 吸
系 细
先 鲜 仙
现 线 限 县 献
笑 校 效
性 姓 幸
行 形 型
需 须 虚
言 盐 严 沿 研 颜
阳 洋 羊
夜 业 叶 页
因 音 阴
于 鱼 余
月 越 阅
真 针 珍
正 证 政
中 钟 终
住 注 祝 助
字 自
最 醉
权利 权力
必须 必需
以至 以致
账号 帐号
反应 反映
启示 启事
公式 攻势
形式 形势
工夫 功夫
交代 胶带
经历 精力
预订 预定
度过 渡过
"""

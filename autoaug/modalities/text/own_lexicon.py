"""A short lexicon, so that synonyms work everywhere. Exported modules contain this class if they need it."""

from __future__ import annotations


class OwnLexicon:
    """Groups of words that mean about the same, one per line."""

    groups = """
big, large, huge, great
small, little, tiny
good, fine, nice, pleasant
excellent, superb, outstanding, splendid
bad, poor, awful
terrible, horrible, dreadful, awful
happy, glad, pleased, delighted
sad, unhappy, sorrowful
angry, furious, mad
fast, quick, rapid, swift
quickly, rapidly, swiftly, fast
slow, sluggish
slowly, gradually
new, fresh, recent
old, aged, ancient
begin, start, commence
began, started, commenced
end, finish, conclude
ended, finished, concluded
buy, purchase, acquire
bought, purchased, acquired
sell, vend, market
say, state, tell
said, stated, told
ask, inquire, question
asked, inquired, questioned
answer, reply, response
help, aid, assist
helped, aided, assisted
make, produce, create
made, produced, created
show, display, exhibit
showed, displayed, exhibited
think, believe, suppose
thought, believed, supposed
see, notice, observe
saw, noticed, observed
look, glance, gaze
like, enjoy, love
liked, enjoyed, loved
hate, detest, loathe
want, wish, desire
wanted, wished, desired
need, require
needed, required
get, obtain, receive
got, obtained, received
give, grant, provide
gave, granted, provided
take, grab, seize
keep, retain, hold
kept, retained, held
find, discover, locate
found, discovered, located
use, employ, utilize
used, employed, utilized
try, attempt
tried, attempted
change, alter, modify
changed, altered, modified
increase, raise, growth, rise
increased, raised, rose, grew
decrease, reduction, decline, fall
decreased, reduced, declined, fell
company, firm, corporation, business
companies, firms, corporations, businesses
money, cash, funds
price, cost, charge
prices, costs, charges
profit, gain, earnings
profits, gains, earnings
loss, deficit
job, work, task
worker, employee
workers, employees
boss, chief, head
house, home, dwelling
car, automobile, vehicle
road, street, way
city, town
country, nation, state
countries, nations, states
government, administration
law, rule, regulation
war, conflict, battle
friend, companion, pal
child, kid
children, kids
man, fellow, guy
woman, lady
person, individual
people, persons, folks
film, movie, picture
films, movies, pictures
story, tale, plot
book, volume
food, meal
doctor, physician
hospital, clinic
ill, sick, unwell
important, significant, major
easy, simple
easily, simply
hard, difficult, tough
clear, plain, obvious
clearly, plainly, obviously
strange, odd, weird, peculiar
funny, amusing, comical
boring, dull, tedious
interesting, engaging, fascinating
beautiful, lovely, pretty
ugly, unsightly
clean, spotless, tidy
dirty, filthy, soiled
cheap, inexpensive, affordable
expensive, costly, pricey
rich, wealthy
strong, powerful, sturdy
weak, feeble
smart, clever, intelligent
stupid, foolish, silly
true, correct, right
wrong, false, incorrect
real, actual, genuine
really, truly, actually
about, around, approximately
almost, nearly
often, frequently
sometimes, occasionally
always, constantly
maybe, perhaps, possibly
soon, shortly
whole, entire, complete
many, numerous
several, various
very, extremely, highly
enough, sufficient
place, spot, location
time, period
year, twelvemonth
part, piece, portion, share
kind, sort, type
idea, notion, thought
problem, issue, trouble
result, outcome, effect
reason, cause
plan, scheme, project
agreement, deal, accord
report, account, statement
picture, image, photo
sound, noise
test, trial, check
error, mistake, fault
danger, risk, hazard
safe, secure
quiet, silent, calm
loud, noisy
hot, warm
cold, chilly, cool
好, 不错, 优秀, 出色
很好, 非常好, 挺好
差, 糟糕, 糟
很差, 太差, 极差
喜欢, 喜爱, 爱
讨厌, 厌恶
高兴, 开心, 快乐, 愉快
难过, 伤心, 悲伤
漂亮, 美丽, 好看
难看, 丑
便宜, 实惠, 廉价
贵, 昂贵
快, 迅速, 快速
慢, 缓慢
大, 巨大
小, 细小
新, 崭新
旧, 陈旧
非常, 十分, 特别, 相当
很, 挺
太, 过于
房间, 屋子, 客房
酒店, 宾馆, 饭店, 旅馆
服务员, 员工, 工作人员
老板, 店主
客人, 顾客, 客户, 住客
买, 购买, 购入
卖, 出售, 销售
东西, 物品, 商品
质量, 品质
价格, 价钱, 价位
书, 书籍, 图书
内容, 内涵
电脑, 计算机
手机, 电话
电影, 影片, 片子
孩子, 小孩, 儿童
朋友, 友人
觉得, 感觉, 认为
知道, 了解, 清楚
看, 观看, 瞧
说, 讲, 表示
问题, 毛病
原因, 缘故
方便, 便利
干净, 整洁, 清洁
脏, 肮脏
安静, 宁静
吵, 嘈杂, 吵闹
舒服, 舒适
环境, 氛围
地方, 地点
位置, 地段
时间, 时候
已经, 早已
马上, 立刻, 立即
一定, 必定, 肯定
可能, 也许, 或许
经常, 常常, 时常
总是, 老是
推荐, 介绍
满意, 满足
失望, 灰心
"""

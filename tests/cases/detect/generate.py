#!/usr/bin/env python3
"""Writes the lines that the detectors are measured on, one file per language: `python3 generate.py`.

Everything is made up, from the seed below: no line comes from a real text. A value is valid by its own rules
(check digits, areas, lengths); a decoy looks like one and is not.
"""
import base64
import random
import unicodedata

SEED = 20251
R = random.Random(SEED)
D = lambda n: "".join(R.choice("0123456789") for _ in range(n))
P = lambda text: "".join(D(1) if c == "#" else str(R.randint(2, 9)) if c == "N" else c for c in text)
A = lambda n: "".join(R.choice("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(n - 2)) + "7q"


def luhn(body):
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def card():
    prefix, length, groups = R.choice([("4", 16, "4444"), ("5%d" % R.randint(1, 5), 16, "4444"), ("2271", 16, "4444"),
                                       ("37", 15, "465"), ("6011", 16, "4444"), ("36", 14, "464"), ("3530", 16, "4444")])
    body = prefix + D(length - 1 - len(prefix))
    return grouped(body + luhn(body), groups, R.choice(["", " ", "-", " "]))


def grouped(digits, groups, sign):
    parts, at = [], 0
    for size in map(int, groups):
        parts.append(digits[at:at + size])
        at += size
    return sign.join(parts + ([digits[at:]] if digits[at:] else []))


IBANS = {"DE": "#" * 18, "FR": "#" * 10 + "A" + "#" * 10 + "##", "ES": "#" * 20, "NL": "ABNA" + "#" * 10, "GB": "WEST" + "#" * 14,
         "IT": "X" + "#" * 22, "PL": "#" * 24, "PT": "#" * 21, "GR": "#" * 23, "CH": "#" * 17, "AT": "#" * 16, "BE": "#" * 12}


def iban():
    country = R.choice(sorted(IBANS))
    body = P(IBANS[country])
    number = int("".join(str(int(c, 36)) for c in body + country + "00"))
    text = country + "%02d" % (98 - number % 97) + body
    return R.choice([text, " ".join(text[i:i + 4] for i in range(0, len(text), 4)), text])


def ssn():
    area = R.choice([n for n in range(1, 900) if n != 666])
    return "%03d-%02d-%04d" % (area, R.randint(1, 99), R.randint(1, 9999))


FIRST = ["ana", "j.doe", "bob+news", "m_ruiz", "o'brien", "li.wei", "kowalska-nowak", "x", "user99", "sören", "n.a.m.e", "s%j"]
HOSTS = ["example.com", "mail.example.org", "firma-beispiel.de", "exemple.fr", "ejemplo.com.mx", "bücher.example", "a.b.c.example.io",
         "example.museum", "xn--bcher-kva.example", "ex-ample.co.uk"]
email = lambda: R.choice(FIRST) + R.choice(["", D(2)]) + "@" + R.choice(HOSTS)

INTERNATIONAL = ["+1 (N##) N##-####", "+1-N##-N##-####", "+1N##N######", "+44 20 7946 0###", "+44 7700 900###", "+4930#######",
                 "+49 (0)30 ########", "+49 170 #######", "+33 1 ## ## ## ##", "+33 (0)6 ## ## ## ##", "+34 9## ### ###", "+48 ## ### ## ##",
                 "+351 21# ### ###", "+39 06 #### ####", "+81 3-####-####", "+86 138 #### ####", "+971 50 ### ####", "+30 210 #######",
                 "+7 (495) ###-##-##", "+91 98### #####", "001-N##-N##-####", "0044 20 7946 0###", "+1-N##-N##-####x####", "+44(0)1154960###"]
NATIONAL = ["(N##) N##-####", "N##-N##-####", "N##.N##.####", "N## N## ####", "1-800-N##-####", "N##-N##-#### ext. ###", "(N##)N##-####x###",
            "020 7946 0###", "07700 900###", "0116 496 0###", "(0121) 496 0###", "01 ## ## ## ##", "06.##.##.##.##", "030 #######", "0170 1######",
            "(03778) ######", "0211/######", "090-####-####", "03-####-####", "07700900###", "06########"]
BESIDE = NATIONAL + ["### ### ###", "N########", "N##N######", "##### ## ###", "## ####-####", "1N##N######", "### ## ## ##", "### ####"]
BARE = ["N########", "N##N######", "98########", "415555####"]
phone = lambda kind: P(R.choice(kind))

ip4 = lambda: "%d.%d.%d.%d" % (R.randint(11, 223), R.randint(0, 255), R.randint(0, 255), R.randint(1, 254))
ip6 = lambda: R.choice(["2001:db8::%x" % R.randint(4096, 65535), "fe80::1ff:fe23:4567:890a", "2001:db8:85a3:0:0:8a2e:370:7334",
                        "2a02:8071:%x:1::5" % R.randint(4096, 65535), "::ffff:192.0.2.%d" % R.randint(1, 254)])
ip = lambda: R.choice([ip4, ip4, ip6])()

secret = lambda: R.choice([
    lambda: "ghp_" + A(36), lambda: "xoxb-" + D(12) + "-" + A(24), lambda: "sk_live_" + A(24), lambda: "AKIA" + A(16).upper(),
    lambda: "AIza" + A(35), lambda: "glpat-" + A(20), lambda: "eyJhbGciOiJIUzI1NiJ9." + A(40) + "." + A(43), lambda: "npm_" + A(36),
])()
password = lambda: R.choice(["Hunter22!", "s3cr3t-pass", "Tr0ub4dor&3", "correct!horse", A(12), "Sommer2024#"])

WIDE = {ord(str(n)): 0xFF10 + n for n in range(10)}
ARABIC = {ord(str(n)): 0x660 + n for n in range(10)}
disguised = lambda text: R.choice([lambda t: t.translate(WIDE), lambda t: t.replace("-", "\u2011").replace(" ", "\u00a0"),
                                   lambda t: "\u200b".join(t), lambda t: t.translate(ARABIC), lambda t: t[:3] + "\u00ad" + t[3:]])(text)

VALUES = {"email": email, "intl": lambda: phone(INTERNATIONAL), "nat": lambda: phone(NATIONAL), "any": lambda: phone(BESIDE), "card": card,
          "iban": iban, "ssn": ssn, "ip": ip, "secret": secret, "password": password,
          "wcard": lambda: disguised(card()), "wssn": lambda: disguised(ssn()), "wintl": lambda: disguised(phone(INTERNATIONAL[:4]))}
KINDS = {"intl": "phone", "nat": "phone", "any": "phone", "ssn": "us_ssn", "wssn": "us_ssn", "wcard": "card", "wintl": "phone", "password": "secret"}

session = lambda: A(20).upper()
basic = lambda: base64.b64encode((R.choice(["admin", "j.doe", "bob"]) + ":" + password()).encode()).decode()


def pan():
    body = "4" + D(14)
    return body + luhn(body)


# Of the lines in MORE.
VALUES |= {"bare": lambda: phone(BARE), "ssn9": lambda: ssn().replace("-", ""), "ssn_": lambda: ssn().replace("-", " "), "session": session, "basic": basic,
           "pan": pan, "ncard": lambda: grouped(pan(), "4444", "&nbsp;"), "pemail": lambda: email().replace("@", "%40"),
           "hemail": lambda: email().replace("@", "&#64;"), "demail": lambda: unicodedata.normalize("NFD", "zoë" + D(2) + "@bücher.example")}
KINDS |= {"bare": "phone", "ssn9": "us_ssn", "ssn_": "us_ssn", "session": "secret", "basic": "secret", "pan": "card", "ncard": "card", "pemail": "email",
          "hemail": "email", "demail": "email"}


def order16():
    while True:
        number = D(16)
        if luhn(number[:15]) != number[15]:
            return number


DECOYS = {
    "order": order16, "tracking": lambda: "1Z" + A(2).upper().replace("7", "X") + D(6) + "ZL" + D(6),
    "version": lambda: "%d.%d.%d" % (R.randint(1, 99), R.randint(0, 40), R.randint(0, 9)), "build": lambda: "bld-%s-%s-%s" % (D(4), D(2), D(4)),
    "date": lambda: R.choice(["2024-05-17", "17.05.2024", "05/17/2024", "2024-05-17 12:30", "2024-05-17T12:30:45Z", "20240517", "05.06.2024 12:30"]),
    "uuid": lambda: "%08x-%04x-4%03x-a%03x-%012x" % (R.getrandbits(32), R.getrandbits(16), R.getrandbits(12), R.getrandbits(12), R.getrandbits(48)),
    "sha": lambda: "%040x" % R.getrandbits(160), "price": lambda: R.choice(["$1,234.56", "1.234,56 EUR", "12 345 678 PLN", "¥12,345,678", "99.99"]),
    "invoice": lambda: "INV-2024-" + D(6), "ticket": lambda: "#" + D(7), "isbn": lambda: "978-3-16-148410-0", "mac": lambda: "00:1a:2b:3c:4d:5e",
    "time": lambda: R.choice(["10:20:30", "23:59", "08:00-12:30"]), "coord": lambda: "52.520008, 13.404954", "size": lambda: R.choice(["1920x1080", "1048576", "4 096"]),
    "picture": lambda: "logo@2x.png", "handle": lambda: "@ana_lima", "epoch": lambda: "17" + D(8), "quad": lambda: "version 10.4.2.%d" % R.randint(1, 99),
    "range": lambda: "1-3", "code": lambda: R.choice(["std::fmt::Debug", "a::b", "x[0]::y"]), "id10": lambda: "4" + D(9), "id9": lambda: "4" + D(8), "section": lambda: "3.4.1",
    "badssn": lambda: R.choice(["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "987-65-4321"]),
    "badiban": lambda: "DE00 3704 0044 0532 0130 00", "badip": lambda: R.choice(["256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4"]),
    "empty": lambda: R.choice(["password: forgotten", "the token expired", "a secret recipe", "reset your password here"]),
}

LINES = {
    "en": ["Hi, please write to {email} or {email}.", "My phone is {any}, thanks.", "You can reach me at {intl} after six.", "Call me: {nat}", "Mail <{email}>; tel. {any}",
           "I paid with {card} yesterday.", "card on file {card}, order {order}", "Refund to IBAN {iban}.", "SSN for verification: {ssn}. DOB {date}", "identified by SSN {ssn}, card {card}",
           "Login came from {ip}.", "request from {ip} with token {secret}", "export TOKEN={secret}", "my password is {password} sorry", "password: {password}", "Authorization: Bearer {secret}",
           "number {wcard}", "SSN {wssn}", "call {wintl}", "phone from {any} to {intl}.", "https://bob:{password}@intranet.example/x", "either {nat} or {email}", "fax {any} / mobile {intl}",
           "Order {order} shipped on {date}, tracking {tracking}.", "App {version} crashes on export since {date}", "Escalated. Build {build}, version {version}.", "commit {sha} in {quad}",
           "Invoice {invoice} over {price}", "see ticket {ticket} and {uuid}", "ISBN {isbn}, MAC {mac}", "It took from {time} at {coord}", "{size} bytes, see {picture} by {handle}",
           "order {id10} at {epoch}", "pages {range}, section {section}, {code}", "test value {badssn} or {badiban}", "address {badip}", "{empty}", "order no. {id10} paid {price} on {date}"],
    "de": ["Bitte schreiben Sie an {email}.", "Meine Telefonnummer: {any}", "Rufen Sie mich unter {intl} an.", "Mobil {nat}", "Karte {card}, IBAN {iban}", "Passwort: {password}",
           "Bestellung {order} vom {date}", "Rechnung {invoice} über {price}", "Version {version} vom {date}", "Artikel {id10}, Auftrag {build}", "Anmeldung von {ip}", "Sendung {tracking}"],
    "fr": ["Écrivez-moi à {email}, merci.", "Mon téléphone : {any}", "Appelez le {nat} ou le {intl}", "carte {card}", "virement sur {iban}", "commande {order} du {date}", "facture {invoice} de {price}",
           "version {version}, suivi {tracking}", "connexion depuis {ip}"],
    "es": ["Mi correo es {email}.", "Mi teléfono es {any}", "Llame al {intl}", "tarjeta {card} y cuenta {iban}", "pedido {order} del {date}", "factura {invoice}: {price}", "contraseña: {password}",
           "versión {version}, envío {tracking}", "acceso desde {ip}"],
    "pl": ["Mój adres to {email}.", "telefon: {any}", "Proszę dzwonić: {intl}", "karta {card}, konto {iban}", "hasło: {password}", "zamówienie {order} z {date}", "faktura {invoice}, {price}", "wersja {version}"],
    "pt": ["Meu e-mail é {email}.", "telefone {any}", "celular {intl}", "cartão {card}", "senha: {password}", "pedido {order} de {date}", "versão {version}, {tracking}"],
    "ja": ["メールは{email}です。", "電話{any}まで", "カード番号は{card}です", "電話は{intl}。", "注文 {order}", "バージョン {version}（{date}）", "追跡番号 {tracking}"],
    "zh": ["我的邮箱是{email}，谢谢。", "电话：{any}", "手机 {intl}", "卡号{card}。", "订单 {order}", "版本 {version}，{date}", "密码: {password}"],
    "ar": ["بريدي {email} شكرا", "هاتف {any}", "رقم {intl}", "بطاقة {card}", "طلب {order} في {date}", "إصدار {version}"],
    "el": ["Το email μου είναι {email}.", "τηλ. {any}", "κάρτα {card}", "IBAN {iban}", "παραγγελία {order}, {date}", "έκδοση {version}"],
    "ru": ["Моя почта {email}.", "тел. {any}", "Звоните: {intl}", "карта {card}", "пароль: {password}", "заказ {order} от {date}", "версия {version}"],
}

# Lines that came later, so that those above stay as they are.
MORE = {
    "en": ["my phone number is {bare}", "mobile no. {bare}", "contact number {bare}", "WhatsApp number {bare}", "tel no: {bare}", "cell no. {bare}", "Tel. (no.): {bare}",
           "phone #{bare}", "phone no. #{bare}", "phone: [{bare}]", "phone?: {bare}", "Phone (home): {bare}", "landline {bare}", "**Phone:** {bare}", "| cellphone | {bare} |",
           "social security number {ssn9}", "social security number ({ssn_})", "SSN No. {ssn9}", "SSN #{ssn9}", "SS# {ssn9}", "SSN: [{ssn_}]",
           "order number {id10}", "ticket no. {id10}", "case number {id10}", "phone order number {id10}", "phone model no. {id10}", "by phone, number {id10}",
           "call no. {id10}", "call #{id10}", "case #{id10}", "phone ticket #{id10}", "security no. {id9}", "customer number {id9}", "id #{id9}", "order #{id10} and #{id9}",
           "Authorization: Basic {basic}", "Cookie: JSESSIONID={session}; Path=/", "sessionid={session}", "PHPSESSID={session}", "ASP.NET_SessionId: {session}",
           "%B{pan}^DOE/ANN^2712101", "card {ncard}, thanks", "/users?email={pemail}&page=2", "<li>{hemail}</li>", "write to {demail} please",
           "Basic authentication and basic training", "session_id={id10}", "sessionid=expired", "%B{order}^DOE/ANN^2712101", "%B4 and %40{version}", "lodash%40{version} at 50%40"],
    "de": ["Handynummer {bare}", "Meine Rückrufnummer ist {bare}", "Mobilnummer: {bare}", "Faxnummer {bare}", "Telefon Nr. {bare}", "Handy-Nr.: {bare}", "Rufnummer {bare}",
           "Bestellung Nummer {id10}", "Kundennummer {id10}", "Rechnungsnummer {id10}", "Auftrag Nr. {id10}", "Anruf Nr. {id10}", "Auftrag #{id10}"],
    "fr": ["mot de passe : {password}", "mdp: {password}", "Tél. : {bare}", "mon numéro de téléphone est le {bare}", "portable n° {bare}", "téléphone no {bare}",
           "facture no {id10}", "commande numéro {id10}", "ce qui se passe : v{version}", "mot de passe : oublié"],
    "es": ["mi número de celular es {bare}", "Telf. {bare}", "teléfono no. {bare}", "número de seguro social {ssn9}", "contrasena: {password}", "pedido número {id10}",
           "factura no. {id10}", "contraseña: olvidada"],
    "pl": ["numer telefonu {bare}", "tel. nr {bare}", "kom. {bare}", "haslo: {password}", "zamówienie numer {id10}", "faktura nr {id10}"],
    "pt": ["número de telefone {bare}", "contato: {bare}", "palavra-passe: {password}", "pedido nº {id10}", "senha: esquecida"],
    "ja": ["電話番号 {bare}", "FAX番号: {bare}", "連絡先：{bare}", "パスワード：{password}", "注文番号 {id10}", "パスワード：再設定"],
    "zh": ["电话号码：{bare}", "联系 {bare}", "密碼：{password}", "订单号码 {id10}"],
    "ar": ["رقم الهاتف {bare}", "واتساب {bare}", "كلمة المرور: {password}", "رقم الطلب {id10}", "كلمة المرور: منسية"],
    "el": ["αριθμός τηλεφώνου {bare}", "φαξ {bare}", "κωδικός πρόσβασης: {password}", "αριθμός παραγγελίας {id10}"],
    "ru": ["номер телефона {bare}", "контактный номер {bare}", "номер заказа {id10}", "покупатель {id10}"],
}


def line(template):
    text, found, rest = "", [], template
    while "{" in rest:
        before, _, rest = rest.partition("{")
        name, _, rest = rest.partition("}")
        text += before
        if name in DECOYS:
            text += DECOYS[name]()
            continue
        value = VALUES[name]()
        found.append((KINDS.get(name, name), value))
        text += value
    return text + rest, found


def quoted(text):
    out = "".join(c if c not in '"\\' else "\\" + c for c in text)
    return '"' + "".join(c if c.isprintable() and not unicodedata.combining(c) else "\\u%04x" % ord(c) for c in out) + '"'


def lines(templates, times):
    return [line(template) for template in templates for _ in range(times if "{" in template else 1)]


WRITTEN = {language: lines(templates, 10 if language == "en" else 8) for language, templates in LINES.items()}
for language, templates in MORE.items():
    WRITTEN[language] += lines(templates, 3)

for language, written in WRITTEN.items():
    with open(language + ".toml", "w", encoding="utf-8") as file:
        file.write("# Written by generate.py. `find` is what must be found, in order.\n")
        for text, found in written:
            file.write("\n[[line]]\ntext = %s\n" % quoted(text))
            if found:
                items = ", ".join("[%s, %s]" % (quoted(kind), quoted(value)) for kind, value in found)
                file.write("find = [%s]\n" % items)

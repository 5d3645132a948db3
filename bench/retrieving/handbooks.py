"""Handbooks of several houses with the same headings: a question names the house and the matter."""

from bench.retrieving.kinds import Set, Source, Wanted, headed

HOUSES: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "harbour-hotel.docx": (
        "Harbour Hotel: Guest Handbook",
        {
            "Arrival": ("Rooms are ready from three in the afternoon.", "When can I move into my room at the hotel?"),
            "Cancellation": (
                "You may cancel free of charge until two days before arrival.",
                "How late can a hotel stay be called off at no cost?",
            ),
            "Animals": ("Dogs are welcome for twelve euros a night.", "What is the fee for a dog at the hotel?"),
            "Parking": (
                "The garage has forty places and costs eighteen euros a day.",
                "What does leaving a car at the hotel cost?",
            ),
            "Food": ("Breakfast is served from half past six to ten.", "Until when is breakfast served at the hotel?"),
            "Internet": (
                "The password of the wireless network is on your key card.",
                "Where do hotel guests find the WiFi password?",
            ),
            "Complaints": (
                "Tell the night manager, who may give up to a fifth of the price back.",
                "Who handles complaints at the hotel?",
            ),
            "Payment": (
                "We take cards and cash, and charge your card on the second day.",
                "When is my card charged at the hotel?",
            ),
        },
    ),
    "lakeside-clinic.docx": (
        "Lakeside Clinic: Patient Handbook",
        {
            "Arrival": (
                "Come to the front desk at seven with an empty stomach.",
                "What time should patients report to the clinic?",
            ),
            "Cancellation": (
                "Appointments that are not cancelled a day before cost forty euros.",
                "What happens if I miss an appointment at the clinic?",
            ),
            "Animals": ("Only guide dogs may come in.", "Can my dog visit me at the clinic?"),
            "Parking": (
                "The first two hours are free, after that one euro an hour.",
                "How long can I park for free at the clinic?",
            ),
            "Food": (
                "Meals are brought to the bed; tell the nurse about allergies.",
                "Whom do I tell about a food allergy at the clinic?",
            ),
            "Internet": (
                "Patients buy a code for the network at the kiosk.",
                "How do patients get online at the clinic?",
            ),
            "Complaints": (
                "The ombudswoman, Ms Adler, listens every Tuesday.",
                "Who is responsible for complaints at the clinic?",
            ),
            "Payment": (
                "The insurer is billed directly; private patients pay within thirty days.",
                "How much time do private patients have to pay the clinic?",
            ),
        },
    ),
    "city-library.docx": (
        "City Library: Reader's Handbook",
        {
            "Arrival": (
                "The reading room opens at nine on working days.",
                "When does the library open its reading room?",
            ),
            "Cancellation": (
                "A reserved book is kept for five days and then goes to the next reader.",
                "How long does the library hold a book for me?",
            ),
            "Animals": (
                "Animals stay outside; there are hooks for leads at the door.",
                "Where can I leave my dog while I am in the library?",
            ),
            "Parking": (
                "There are only bicycle stands; use the town's garage for cars.",
                "Is there somewhere to park a car at the library?",
            ),
            "Food": ("Drinks with a lid are allowed, food is not.", "May I drink coffee in the library?"),
            "Internet": (
                "Your reader's number is the password of the network.",
                "What is the WiFi login in the library?",
            ),
            "Complaints": (
                "Write into the book at the exit; the director answers within a week.",
                "How fast does the library answer complaints?",
            ),
            "Payment": (
                "Late books cost twenty cents a day, at most ten euros.",
                "What is the highest fine for late books at the library?",
            ),
        },
    ),
    "alpine-school.docx": (
        "Alpine Ski School: Course Handbook",
        {
            "Arrival": ("Groups meet at a quarter to nine at the lower lift.", "Where do the ski school groups meet?"),
            "Cancellation": (
                "With a doctor's letter we return the whole fee of the course.",
                "Do I get my money back from the ski school when I fall ill?",
            ),
            "Animals": (
                "Dogs may not go on the slopes, on a lead or off it.",
                "Are dogs allowed on the slopes with the ski school?",
            ),
            "Parking": (
                "Leave the car at the valley station, where it is free with a lift pass.",
                "Where do I leave the car for the ski school?",
            ),
            "Food": ("Lunch at the hut is part of the children's course only.", "Who gets lunch at the ski school?"),
            "Internet": (
                "There is no network at the hut; the office has one.",
                "Is there WiFi at the hut of the ski school?",
            ),
            "Complaints": (
                "If your group does not fit, change it until Tuesday noon.",
                "Until when can I change my group at the ski school?",
            ),
            "Payment": (
                "Half of the fee is due when you book, the rest on the first day.",
                "How much of the ski course is paid when booking?",
            ),
        },
    ),
}


def make() -> Set:
    """Return the handbooks, and a question for each of their sections."""
    sources: list[Source] = []
    questions: list[Wanted] = []
    for filename, (title, sections) in HOUSES.items():
        sources.append(headed(filename, title, [(heading, text) for heading, (text, _) in sections.items()]))
        questions += [Wanted(asked, filename, words=text) for text, asked in sections.values()]
    return Set("handbooks", sources, questions)

//! The header lines of the exports, letter by letter as the systems write them.

/// VAN saved list: 29 columns, comma.
pub const VAN_SAVED_LIST: &str = concat!(
    "CanvassFileRequestID,VanID,Address,FirstName,LastName,StreetAddress,City,State,ZipOrPostal,County,Employer,",
    "Occupation,Email,HomePhone,IsHomePhoneACellExchange,CellPhone,WorkPhone,IsWorkPhoneACellExchange,Phone,",
    "OptInPhone,OptInStatus,OptInPhoneType,CongressionalDistrict,StateHouse,StateSenate,Party,PollingLocation,",
    "PollingAddress,PollingCity",
);

/// VAN contact history: 12 columns; the file separates them with tabs.
pub const CONTACT_HISTORY: &str = concat!(
    "VANID,DWID,VoterName,ResultShortName,CreatedBy,CanvassedBy,IsCanvasser,CommitteeName,DateCreated,",
    "DateCanvassed,ContactTypeName,InputTypeName",
);

/// NationBuilder people: 217 columns, comma, CR LF.
pub const NATIONBUILDER: &str = concat!(
    "nationbuilder_id,twitter_id,twitter_login,facebook_username,meetup_id,civicrm_id,external_id,salesforce_id,",
    "prefix,first_name,middle_name,last_name,suffix,full_name,legal_name,employer,occupation,sex,party,religion,",
    "church,ethnicity,marital_status,website,language,is_deceased,born_at,email1,email2,email3,email4,email_opt_in,",
    "phone_number,work_phone_number,do_not_call,do_not_contact,federal_donotcall,mobile_number,mobile_opt_in,",
    "is_mobile_bad,fax_number,demo,support_level,inferred_support_level,priority_level,availability,note,parent_id,",
    "point_person_name_or_email,recruiter_id,recruiter_name_or_email,tag_list,created_at,unsubscribed_at,",
    "is_supporter,is_prospect,signup_type,is_volunteer,is_donor,is_fundraiser,is_ignore_donation_limits,",
    "first_donated_at,last_donated_at,donations_count,donations_amount,donations_amount_in_cents,",
    "donations_raised_count,donations_raised_amount,donations_raised_amount_in_cents,donations_pledged_amount,",
    "donations_pledged_amount_in_cents,donations_count_this_cycle,donations_amount_this_cycle,",
    "donations_amount_this_cycle_in_cents,donations_raised_count_this_cycle,donations_raised_amount_this_cycle,",
    "donations_raised_amount_this_cycle_in_cents,maximum_donation_possible_this_cycle,",
    "maximum_donation_possible_this_cycle_in_cents,membership_names,nbec_guid,pf_strat_id,state_file_id,",
    "county_file_id,dw_id,van_id,ngp_id,rnc_id,rnc_regid,datatrust_id,previous_party,inferred_party,",
    "supranational_district,federal_district,state_upper_district,state_lower_district,county_district,",
    "city_district,city_sub_district,village_district,judicial_district,school_district,school_sub_district,",
    "fire_district,precinct_name,precinct_code,media_market_name,support_probability_score,",
    "turnout_probability_score,capital_amount,capital_amount_in_cents,spent_capital_amount,",
    "spent_capital_amount_in_cents,received_capital_amount,received_capital_amount_in_cents,email,email1_is_bad,",
    "email2_is_bad,email3_is_bad,email4_is_bad,primary_country_code,primary_country,primary_state,primary_city,",
    "primary_county,primary_zip,primary_address1,primary_address2,primary_address3,primary_fips,",
    "primary_submitted_address,primary_geocode_accuracy,address_country_code,address_country,address_state,",
    "address_city,address_county,address_zip,address_address1,address_address2,address_address3,address_fips,",
    "address_submitted_address,address_geocode_accuracy,work_country_code,work_country,work_state,work_city,",
    "work_county,work_zip,work_address1,work_address2,work_address3,work_fips,work_submitted_address,",
    "work_geocode_accuracy,mailing_country_code,mailing_country,mailing_state,mailing_city,mailing_county,",
    "mailing_zip,mailing_address1,mailing_address2,mailing_address3,mailing_fips,mailing_submitted_address,",
    "mailing_geocode_accuracy,mailing_street_number,mailing_street_prefix,mailing_street_name,mailing_street_type,",
    "mailing_street_suffix,mailing_unit_number,mailing_zip5,mailing_zip4,mailing_sort_sequence,",
    "mailing_delivery_point,mailing_lot,mailing_carrier_route,user_submitted_country_code,user_submitted_country,",
    "user_submitted_state,user_submitted_city,user_submitted_county,user_submitted_zip,user_submitted_address1,",
    "user_submitted_address2,user_submitted_address3,user_submitted_fips,user_submitted_submitted_address,",
    "user_submitted_geocode_accuracy,registered_country_code,registered_country,registered_state,registered_city,",
    "registered_county,registered_zip,registered_address1,registered_address2,registered_address3,registered_fips,",
    "registered_submitted_address,registered_geocode_accuracy,registered_street_number,registered_street_prefix,",
    "registered_street_name,registered_street_type,registered_street_suffix,registered_unit_number,registered_zip5,",
    "registered_zip4,registered_sort_sequence,registered_delivery_point,registered_lot,registered_carrier_route,",
    "party_member",
);

/// Action Network activists: 13 columns, comma.
pub const ACTION_NETWORK: &str = concat!(
    "uuid,first_name,last_name,email,Phone Number,can2_user_address,can2_user_city,can2_user_state,zip_code,County,",
    "can2_user_tags,can2_subscription_status,can2_sms_status",
);

/// CiviCRM contacts: the 43 field titles.
pub const CIVICRM: &str = concat!(
    "Contact ID,Contact Type,External Identifier,Display Name,Organization Name,Contact Subtype,First Name,",
    "Middle Name,Last Name,Do Not Email,Do Not Phone,Do Not Mail,Do Not Sms,Do Not Trade,",
    "No Bulk Emails (User Opt Out),Legal Identifier,Sort Name,Nickname,Legal Name,Image Url,",
    "Preferred Communication Method,Preferred Language,Contact Hash,Contact Source,Individual Prefix,",
    "Individual Suffix,Formal Title,Communication Style,Email Greeting ID,Postal Greeting ID,Addressee ID,",
    "Job Title,Gender ID,Birth Date,Deceased,Deceased Date,Household Name,Sic Code,Unique ID (OpenID),",
    "Current Employer ID,Contact is in Trash,Created Date,Modified Date",
);

/// Columns that a CiviCRM export joins to the contact.
pub const CIVICRM_JOINED: &str =
    "Street Address,Supplemental Address 1,City,Postal Code,State,County,Country,Phone,Email";
